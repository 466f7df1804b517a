#include "net/transfer.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <climits>

#include "base/text.h"
#include "net/curl_multi.h"

namespace puna::net {

using TimePoint = std::chrono::steady_clock::time_point;

namespace {

constexpr std::size_t kTrustedLength = 8 << 20;  // of a Content-Length, to reserve memory for
constexpr long kSendBuffer = 512 << 10;

long curl_milliseconds(Milliseconds limit) {
  return static_cast<long>(std::clamp<std::int64_t>(limit.count(), 1, INT_MAX));  // 0 would mean curl's own default
}

}  // namespace

std::expected<std::unique_ptr<Transfer>, Fault> Transfer::start(std::shared_ptr<CurlMulti> multi,
                                                                std::shared_ptr<const HttpRequest> request, const ClientOptions& options,
                                                                bool whole) {
  std::unique_ptr<Transfer> transfer(new Transfer(std::move(multi), std::move(request), options, whole));
  if (!transfer->easy_) return std::unexpected(Fault{.error = {Code::out_of_memory, "cannot start a transfer"}});
  transfer->set_up(options);
  transfer->enter(Phase::connecting);
  if (auto started = transfer->multi_->start(*transfer); !started) return std::unexpected(Fault{.error = std::move(started).error()});
  return transfer;
}

Transfer::Transfer(std::shared_ptr<CurlMulti> multi, std::shared_ptr<const HttpRequest> request, const ClientOptions& options, bool whole)
    : multi_(std::move(multi)),
      request_(std::move(request)),
      whole_(whole),
      max_header_(options.max_header),
      read_ahead_(options.read_ahead),
      easy_(multi_->take_handle()),
      total_due_(deadline_after(request_->deadlines.total)),
      watchdog_(multi_->executor(), [this] { deadline_passed(); }),
      changed_(multi_->executor()) {
  response_.status = 0;
}

Transfer::~Transfer() {
  multi_->remove(*this);
  if (easy_) multi_->give_back(easy_);
  curl_slist_free_all(static_cast<curl_slist*>(header_list_));
}

void Transfer::set_up(const ClientOptions& options) {
  curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, curl_message_.data());
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy_, CURLOPT_PREREQFUNCTION, &Transfer::on_connected);
  curl_easy_setopt(easy_, CURLOPT_PREREQDATA, this);
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_QUICK_EXIT, 1L);  // else dropping a transfer would wait for its name lookup
  curl_easy_setopt(easy_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy_, CURLOPT_BUFFERSIZE, static_cast<long>(options.receive_buffer.count));
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, curl_milliseconds(request_->deadlines.connect));
  curl_easy_setopt(easy_, CURLOPT_USERAGENT, options.user_agent.c_str());
  set_target();
  set_method_and_body();
  set_headers();
  set_route(options);
}

void Transfer::set_target() {
  const Url& url = request_->url;
  curl_easy_setopt(easy_, CURLOPT_URL, (url.scheme + "://" + url.authority() + url.target()).c_str());
  if (!url.credentials || request_->headers.contains("Authorization")) return;
  const std::string_view both = *url.credentials;
  const auto colon = both.find(':');
  curl_easy_setopt(easy_, CURLOPT_USERNAME, percent_decode(both.substr(0, colon)).value_or("").c_str());
  if (colon != std::string_view::npos)
    curl_easy_setopt(easy_, CURLOPT_PASSWORD, percent_decode(both.substr(colon + 1)).value_or("").c_str());
}

void Transfer::set_method_and_body() {
  const auto& [method, body] = std::tie(request_->method, request_->body);
  if (method == "HEAD") {
    curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
    return;
  }
  if (request_->body_source) {
    curl_easy_setopt(easy_, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy_, CURLOPT_UPLOAD_BUFFERSIZE, kSendBuffer);
    curl_easy_setopt(easy_, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(body_size()));
    curl_easy_setopt(easy_, CURLOPT_READFUNCTION, &Transfer::on_send);
    curl_easy_setopt(easy_, CURLOPT_READDATA, this);
    curl_easy_setopt(easy_, CURLOPT_SEEKFUNCTION, &Transfer::on_rewind);
    curl_easy_setopt(easy_, CURLOPT_SEEKDATA, this);
    if (method != "PUT") curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, method.c_str());
    return;
  }
  if (!body.empty() || method == "POST" || method == "PUT" || method == "PATCH") {
    curl_easy_setopt(easy_, CURLOPT_POST, 1L);
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, body.c_str());  // not copied: request_ stays as long as this
    if (method != "POST") curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, method.c_str());
  } else if (method != "GET") {
    curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, method.c_str());
  }
}

void Transfer::set_headers() {
  curl_slist* list = curl_slist_append(nullptr, "Expect:");  // no round trip before a body
  if (body_size() > 0 && !request_->headers.contains("Content-Type")) list = curl_slist_append(list, "Content-Type:");
  std::string line;
  for (const auto& [name, value] : request_->headers) {
    line = name;
    if (value.empty())
      line += ';';  // curl's notation for a header without a value
    else
      line.append(": ").append(value);
    list = curl_slist_append(list, line.c_str());
  }
  header_list_ = list;
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, list);
}

void Transfer::set_route(const ClientOptions& options) {
  if (request_->unix_socket) {
    curl_easy_setopt(easy_, CURLOPT_UNIX_SOCKET_PATH, request_->unix_socket->c_str());
    curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy_, CURLOPT_PROXY, "");
    return;
  }
  if (request_->own_connection) curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  if (options.proxy) curl_easy_setopt(easy_, CURLOPT_PROXY, options.proxy->c_str());
  if (!options.no_proxy.empty()) curl_easy_setopt(easy_, CURLOPT_NOPROXY, options.no_proxy.c_str());
  if (!options.ca_file.empty()) curl_easy_setopt(easy_, CURLOPT_CAINFO, options.ca_file.c_str());
}

std::size_t Transfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  return static_cast<Transfer*>(self)->take_header({data, size * count}) ? size * count : CURL_WRITEFUNC_ERROR;
}

std::size_t Transfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (!transfer.whole_ && transfer.response_.body.size() >= transfer.read_ahead_.count) {
    transfer.paused_ = true;  // curl keeps these bytes and leaves the rest in the socket
    transfer.watchdog_.set(transfer.total_due_);
    return CURL_WRITEFUNC_PAUSE;
  }
  return transfer.take_body({data, size * count}) ? size * count : CURL_WRITEFUNC_ERROR;
}

std::size_t Transfer::on_send(char* into, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const auto left = transfer.body_size() - transfer.source_at_;
  if (left == 0) return 0;
  const auto room = static_cast<std::size_t>(std::min<std::uint64_t>(size * count, left));
  const auto got = std::min(transfer.request_->body_source->read(transfer.source_at_, {into, room}), room);
  if (got == 0) {
    transfer.fault_ = {
        {Code::corrupt_data, fmt::format("{}: what was to be sent ended early", transfer.request_->url.printable())}, false, true};
    return CURL_READFUNC_ABORT;
  }
  transfer.source_at_ += got;
  return got;
}

int Transfer::on_rewind(void* self, std::int64_t offset, int origin) {
  if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_FAIL;
  static_cast<Transfer*>(self)->source_at_ = static_cast<std::uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

std::uint64_t Transfer::body_size() const {
  return request_->body_source ? request_->body_source->size.count : request_->body.size();
}

int Transfer::on_connected(void* self, char*, char*, int, int) {
  auto& transfer = *static_cast<Transfer*>(self);
  transfer.reached_server_ = true;
  transfer.enter(Phase::waiting);
  return CURL_PREREQFUNC_OK;
}

bool Transfer::take_header(std::string_view line) {
  enter(Phase::receiving);
  if (headers_done_) return true;  // a trailer
  header_bytes_ += line.size();
  if (header_bytes_ > max_header_.count) {
    fault_ = {
        {Code::too_large, fmt::format("the headers from {} are larger than {}", request_->url.printable(), format_bytes(max_header_))},
        false,
        true};
    return false;
  }
  if (line.starts_with("HTTP/")) {
    response_.headers.clear();  // what came before was only the announcement of this answer
    response_.status = 0;
    const auto text = line.substr(std::min(line.find(' ') + 1, line.size()));
    std::from_chars(text.data(), text.data() + text.size(), response_.status);
    return true;
  }
  line = trim(line);
  if (line.empty()) {
    headers_done_ = response_.status >= 200;
    if (headers_done_ && !whole_) changed_.wake();
    return true;
  }
  const auto colon = line.find(':');
  if (colon != std::string_view::npos) response_.headers.add(std::string(line.substr(0, colon)), std::string(trim(line.substr(colon + 1))));
  return true;
}

bool Transfer::take_body(std::string_view bytes) {
  enter(Phase::receiving);
  auto& body = response_.body;
  if (whole_ && body.size() + bytes.size() > request_->max_body.count) {
    fault_ = {
        {Code::too_large, fmt::format("the answer of {} is larger than {}", request_->url.printable(), format_bytes(request_->max_body))},
        false,
        true};
    return false;
  }
  if (whole_ && body.empty()) {
    curl_off_t length = -1;
    curl_easy_getinfo(easy_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (length > 0) body.reserve(std::min({static_cast<std::size_t>(length), request_->max_body.count, kTrustedLength}));
  }
  body.append(bytes);
  if (!whole_) changed_.wake();
  return true;
}

void Transfer::enter(Phase phase) {
  phase_ = phase;
  const auto& deadlines = request_->deadlines;
  phase_due_ = TimePoint::max();  // the connection has curl's own timer
  if (phase == Phase::waiting) phase_due_ = deadline_after(deadlines.first_byte);
  if (phase == Phase::receiving) phase_due_ = deadline_after(deadlines.idle);
  watchdog_.set(std::min(phase_due_, total_due_));
}

void Transfer::deadline_passed() {
  const auto& deadlines = request_->deadlines;
  const auto late = [&](std::string_view what, Milliseconds limit) {
    stop({{Code::deadline_exceeded, fmt::format("{}: {} within {}", request_->url.printable(), what, format_duration(limit))},
          true,
          reached_server_});
  };
  if (std::chrono::steady_clock::now() >= total_due_) return late("the whole answer did not come", deadlines.total);
  if (phase_ == Phase::receiving) return late("nothing more came", deadlines.idle);
  curl_off_t sent = 0;
  curl_easy_getinfo(easy_, CURLINFO_SIZE_UPLOAD_T, &sent);
  const auto had = std::exchange(bytes_sent_, static_cast<std::uint64_t>(sent));
  if (bytes_sent_ > had && bytes_sent_ < body_size()) return enter(Phase::waiting);  // the request is still on its way
  late("no answer came", deadlines.first_byte);
}

void Transfer::stop(Fault fault) {
  multi_->remove(*this);
  phase_ = Phase::ended;
  fault_ = std::move(fault);
  changed_.wake();
}

void Transfer::ended(int curl_code) {
  phase_ = Phase::ended;
  watchdog_.clear();
  if (curl_code != CURLE_OK && !fault_) {
    long system_error = 0;
    curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &system_error);
    long proxy_status = 0;
    long opened = 1;
    curl_easy_getinfo(easy_, CURLINFO_NUM_CONNECTS, &opened);
    const bool not_http = curl_code == CURLE_UNSUPPORTED_PROTOCOL || curl_code == CURLE_WEIRD_SERVER_REPLY;
    // What is no answer on a connection that had some before is the rest of an earlier one: a new connection has none of it.
    if (not_http && opened == 0) curl_code = CURLE_RECV_ERROR;
    if (headers_done_ || curl_easy_getinfo(easy_, CURLINFO_HTTP_CONNECTCODE, &proxy_status) != CURLE_OK || proxy_status < 300)
      fault_ = fault_of(curl_code, static_cast<int>(system_error), curl_message_.data(), *request_);
    else
      fault_ = proxy_fault(static_cast<int>(proxy_status), *request_);
    fault_->sent = reached_server_;
  }
  changed_.wake();
}

void Transfer::ended_by_client(Error error) {
  phase_ = Phase::ended;
  watchdog_.clear();
  fault_ = Fault{.error = std::move(error), .transient = false, .sent = reached_server_};
  changed_.wake();
}

Task<std::expected<void, Fault>> Transfer::answer() {
  while (phase_ != Phase::ended && (whole_ || !headers_done_)) {
    if (is_cancelled(co_await asio::this_coro::cancellation_state))
      co_return std::unexpected(Fault{.error = cancelled_error(), .sent = reached_server_});
    co_await changed_.wait();
  }
  // A stream that broke after its headers tells so where its body is read.
  if (fault_ && (whole_ || !headers_done_)) co_return std::unexpected(*fault_);
  co_return std::expected<void, Fault>();
}

Task<Result<std::optional<std::string>>> Transfer::read() {
  std::string out;
  PUNA_CO_TRY(const bool more, co_await read_into(out));
  if (!more) co_return std::nullopt;
  co_return out;
}

Task<Result<bool>> Transfer::read_into(std::string& out) {
  out.clear();
  while (true) {
    if (is_cancelled(co_await asio::this_coro::cancellation_state)) co_return fail(cancelled_error());
    if (!response_.body.empty()) {
      std::swap(out, response_.body);
      if (std::exchange(paused_, false)) {
        enter(Phase::receiving);
        multi_->unpause(*this);
      }
      co_return true;
    }
    if (fault_) co_return fail(fault_->error);
    if (phase_ == Phase::ended) co_return false;
    co_await changed_.wait();
  }
}

}  // namespace puna::net
