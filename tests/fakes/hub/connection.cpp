#include "fakes/hub/connection.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/beast/http.hpp>
#include <thread>

#include "base/text.h"

namespace puna::fakes {
namespace http = boost::beast::http;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::uint64_t kPiece = 1024 * 1024;
constexpr std::size_t kHeaderLimit = 64 * 1024;
constexpr std::size_t kBodyInMemory = 4 * 1024 * 1024;

using Parser = http::request_parser<http::buffer_body>;

void open_gate(int descriptor) {
  const std::uint64_t one = 1;
  // ignored: an eventfd that is full is open already
  static_cast<void>(::write(descriptor, &one, sizeof one));
}

void split_target(Request& out) {
  const auto question = out.target.find('?');
  out.path = out.target.substr(0, question);
  for (const auto part : split(std::string_view(out.path).substr(out.path.starts_with('/') ? 1 : 0), '/'))
    out.segments.push_back(percent_decoded(part));
  if (question == std::string::npos) return;
  for (const auto part : split(std::string_view(out.target).substr(question + 1), '&')) {
    const auto equals = part.find('=');
    const auto value = equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1);
    out.query.emplace(percent_decoded(part.substr(0, equals), true), percent_decoded(value, true));
  }
}

}  // namespace

Gates::Gates() : stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), release_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void Gates::stop() const {
  open_gate(stop_.get());
}

void Gates::release() const {
  open_gate(release_.get());
}

void Gates::hold() const {
  std::uint64_t count = 0;
  // ignored: nothing to read: it is closed
  static_cast<void>(::read(release_.get(), &count, sizeof count));
}

Connection::Connection(boost::asio::ip::tcp::socket socket, const Gates& gates, const std::filesystem::path& folder)
    : socket_(std::move(socket)), gates_(gates), folder_(folder) {
  boost::system::error_code ignored;
  socket_.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
}

void Connection::end() {
  ::shutdown(socket_.native_handle(), SHUT_RDWR);
}

void Connection::reset() {
  const ::linger now{1, 0};
  ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  boost::system::error_code ignored;
  socket_.close(ignored);
}

bool Connection::read(Request& out) {
  Parser parser;
  parser.header_limit(kHeaderLimit);
  parser.body_limit(boost::none);
  boost::system::error_code error;
  http::read_header(socket_, buffer_, parser, error);
  if (error) return false;
  const auto& message = parser.get();
  out.method = std::string(message.method_string());
  out.target = std::string(message.target());
  for (const auto& field : message) out.headers.emplace(lower_ascii(std::string(field.name_string())), std::string(field.value()));
  split_target(out);
  if (lower_ascii(out.header("expect")) == "100-continue" && !send("HTTP/1.1 100 Continue\r\n\r\n")) return false;
  return read_body(&parser, out);
}

bool Connection::read_body(void* of, Request& out) {
  auto& parser = *static_cast<Parser*>(of);
  std::string bytes;
  os::UniqueFd file;
  auto path = folder_.string() + "/bodyXXXXXX";
  std::vector<char> piece(256 * 1024);
  while (!parser.is_done()) {
    parser.get().body().data = piece.data();
    parser.get().body().size = piece.size();
    parser.get().body().more = true;
    boost::system::error_code error;
    http::read(socket_, buffer_, parser, error);
    if (error && error != http::error::need_buffer) return false;
    bytes.append(piece.data(), piece.size() - parser.get().body().size);
    if (bytes.size() < kBodyInMemory) continue;
    if (!file) file.reset(::mkostemp(path.data(), O_CLOEXEC));
    if (!os::write_all(file.get(), bytes)) return false;
    bytes.clear();
  }
  if (!file) {
    out.body = Content::of(std::move(bytes));
    return true;
  }
  if (!os::write_all(file.get(), bytes)) return false;
  auto stored = Content::on_disk(path);
  if (!stored) return false;
  out.body = *stored;
  return true;
}

bool Connection::wait(std::chrono::nanoseconds time, Until until) {
  pollfd waited[] = {{socket_.native_handle(), POLLRDHUP, 0}, {gates_.stopped(), POLLIN, 0}, {gates_.released(), POLLIN, 0}};
  const timespec left{static_cast<time_t>(time.count() / 1'000'000'000), static_cast<long>(time.count() % 1'000'000'000)};
  const bool timed = until == Until::time;
  if (::ppoll(waited, timed ? 2 : 3, timed ? &left : nullptr, nullptr) < 0) return false;
  return waited[0].revents == 0 && waited[1].revents == 0;
}

bool Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Connection::send_slice(const Answer& answer, std::uint64_t from, std::uint64_t length, const HubFault& fault) {
  const bool flips = fault.flip_at && *fault.flip_at >= from && *fault.flip_at < from + length;
  if (answer.body->descriptor() >= 0 && !flips) {
    auto offset = static_cast<off_t>(from);
    while (length > 0) {
      const auto sent = ::sendfile(socket_.native_handle(), answer.body->descriptor(), &offset, length);
      if (sent <= 0) return false;
      length -= static_cast<std::uint64_t>(sent);
    }
    return true;
  }
  thread_local std::vector<char> buffer(kPiece);
  const auto bytes = std::span(buffer).first(length);
  answer.body->read(from, bytes);
  if (flips) bytes[*fault.flip_at - from] ^= 4;
  return send({bytes.data(), bytes.size()});
}

bool Connection::send_body(const Answer& answer, const HubFault& fault, std::uint64_t rate,
                           const std::function<void(std::uint64_t)>& sent) {
  const auto length = answer.to - answer.from;
  const auto cut = std::min(fault.cut_after.value_or(UINT64_MAX), answer.cut_after.value_or(UINT64_MAX));
  const auto slow_after = fault.slow_after.value_or(0);
  auto began = Clock::now();
  std::uint64_t paced = 0;
  for (std::uint64_t done = 0; done < length;) {
    if (done >= cut) return false;
    auto limit = std::min(length, cut);
    if (fault.stall_after && done < *fault.stall_after) limit = std::min(limit, *fault.stall_after);
    if (fault.stall_after && done == *fault.stall_after && (!wait({}, Until::release) || fault.stalls_as_sent)) return false;
    const bool slow = rate > 0 && done >= slow_after;
    if (rate > 0 && !slow) limit = std::min(limit, slow_after);
    const auto piece = std::min(limit - done, slow ? std::clamp<std::uint64_t>(rate / 50, 1, kPiece) : kPiece);
    if (answer.chunked && !send(fmt::format("{:x}\r\n", piece))) return false;
    if (!send_slice(answer, answer.from + done, piece, fault)) return false;
    if (answer.chunked && !send("\r\n")) return false;
    done += piece;
    sent(done);
    if (!slow) {
      began = Clock::now();
      continue;
    }
    paced += piece;
    const auto due =
        began + std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(paced) * 1e9 / static_cast<double>(rate)));
    if (const auto now = Clock::now(); due > now && !wait(due - now, Until::time)) return false;
  }
  return length < cut && (!answer.chunked || send("0\r\n\r\n"));
}

bool Connection::write(const Request& request, const Answer& answer, const HubFault& fault, Pace pace,
                       const std::function<void(std::uint64_t)>& sent) {
  auto delay = std::chrono::milliseconds(fault.delay_ms.value_or(pace.delay_ms) + (first_ ? pace.connect_ms : 0));
  first_ = false;
  if (delay.count() > 0 && !wait(delay, Until::time)) return false;
  if (fault.hold && !wait({}, Until::release)) return false;
  if (fault.reset && !fault.cut_after) {
    reset();
    return false;
  }
  auto head =
      fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", answer.status, reason_of(answer.status), http_date(std::chrono::system_clock::now()));
  for (const auto& [name, value] : answer.headers) head += fmt::format("{}: {}\r\n", name, value);
  const bool closes = !answer.sized || lower_ascii(request.header("connection")) == "close";
  if (closes) head += "Connection: close\r\n";
  if (!send(head + "\r\n")) return false;
  if (request.method == "HEAD" || answer.status == 204 || answer.status == 304) return !closes;
  const bool whole = send_body(answer, fault, fault.rate.value_or(pace.rate), sent);
  if (!whole && fault.reset) reset();
  return whole && !closes;
}

}  // namespace puna::fakes
