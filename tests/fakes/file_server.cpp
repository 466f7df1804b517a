#include "fakes/file_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <future>

namespace puna::fakes {
namespace {

constexpr std::size_t kChunk = 64 * 1024;
constexpr std::chrono::seconds kPatience{20};

struct Slice {
  int status = 200;
  std::uint64_t from = 0;
  std::uint64_t to = 0;  // one beyond the last byte
};

struct Range {
  std::uint64_t first = 0;
  std::uint64_t end = UINT64_MAX;  // one beyond the last byte
};

// "bytes=N-" and "bytes=N-M"; other ranges do not occur here.
std::optional<Range> parse_range(std::string_view text) {
  if (!text.starts_with("bytes=")) return std::nullopt;
  text.remove_prefix(6);
  Range out;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, out.first);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') return std::nullopt;
  if (first.ptr + 1 == end) return out;
  const auto last = std::from_chars(first.ptr + 1, end, out.end);
  if (last.ec != std::errc() || last.ptr != end || out.end < out.first) return std::nullopt;
  ++out.end;
  return out;
}

Slice slice_of(const File& file, const Fault& fault, const Seen& asked) {
  Slice out{.to = file.size};
  if (!file.etag.empty() && asked.if_none_match == file.etag) return {.status = 304};
  const bool same = asked.if_range.empty() || asked.if_range == file.etag || asked.if_range == file.last_modified;
  const auto range = parse_range(asked.range);
  if (fault.whole || !range || !same) return out;
  if (range->first >= file.size) return {.status = 416};
  out.status = 206;
  out.from = range->first;
  out.to = std::min({file.size, range->end, fault.most ? range->first + *fault.most : file.size});
  return out;
}

net::Headers headers_of(const File& file, const Slice& slice, const Fault& fault) {
  net::Headers out;
  out.set("Content-Type", file.content_type);
  if (!file.etag.empty()) out.set("ETag", file.etag);
  if (!file.last_modified.empty()) out.set("Last-Modified", file.last_modified);
  if (slice.status == 206) out.set("Content-Range", fmt::format("bytes {}-{}/{}", slice.from, slice.to - 1, file.size));
  if (slice.status == 416) out.set("Content-Range", fmt::format("bytes */{}", file.size));
  if (!fault.without_length && slice.status != 304) out.set("Content-Length", fmt::format("{}", slice.to - slice.from));
  for (const auto& [name, value] : fault.headers) {
    out.remove(name);
    if (!value.empty()) out.set(name, value);
  }
  return out;
}

}  // namespace

File File::of(std::string bytes, std::string etag) {
  const auto size = bytes.size();
  auto read = [content = std::move(bytes)](std::uint64_t offset, std::size_t length) { return content.substr(offset, length); };
  return {.read = std::move(read), .size = size, .etag = std::move(etag), .last_modified = {}};
}

FileServer::FileServer() {
  net::ServerOptions options;
  options.allowed_hosts = {"*"};
  server_ = std::make_unique<net::HttpServer>(
      io_, std::move(options), [this](net::ServerRequest& request, net::Responder& responder) { return handle(request, responder); });
  port_ = server_->listen_tcp("127.0.0.1", 0).value().port;
  thread_ = std::thread([this] { io_.run(); });
}

// NOLINTNEXTLINE(bugprone-exception-escape): a test whose server cannot be ended may end here.
FileServer::~FileServer() {
  release();
  std::promise<void> drained;
  net::asio::co_spawn(io_.context(), server_->drain(Milliseconds(0)), [&](const std::exception_ptr&) {
    server_.reset();
    drained.set_value();
  });
  drained.get_future().wait_for(kPatience);
  io_.stop();
  thread_.join();
}

std::string FileServer::url(std::string_view path, std::string_view host) const {
  return fmt::format("http://{}:{}{}", host, port_, path);
}

void FileServer::serve(std::string path, File file) {
  const std::lock_guard lock(mutex_);
  files_.insert_or_assign(std::move(path), std::move(file));
}

void FileServer::fault(Fault fault) {
  const std::lock_guard lock(mutex_);
  faults_.push_back(std::move(fault));
}

void FileServer::release() {
  {
    const std::lock_guard lock(mutex_);
    open_ = true;
  }
  released_.notify();
}

std::vector<Seen> FileServer::requests() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

std::uint64_t FileServer::body_bytes() const {
  std::uint64_t out = 0;
  for (const auto& seen : requests()) out += seen.body_bytes;
  return out;
}

bool FileServer::await(const std::function<bool(const std::vector<Seen>&)>& condition) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [&] { return condition(seen_); });
}

void FileServer::note(std::size_t index, const std::function<void(Seen&)>& change) {
  const std::lock_guard lock(mutex_);
  change(seen_[index]);
  changed_.notify_all();
}

net::Task<Result<>> FileServer::pass_gate() {
  while (true) {
    const auto seen = released_.epoch();
    {
      const std::lock_guard lock(mutex_);
      if (open_) co_return Result<>();
    }
    PUNA_CO_CHECK(co_await released_.wait(seen, kForever));
  }
}

net::Task<void> FileServer::handle(net::ServerRequest& request, net::Responder& responder) {
  const auto field = [&](std::string_view name) { return std::string(request.headers.get(name).value_or("")); };
  Fault fault;
  std::optional<File> file;
  std::size_t index = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!faults_.empty()) {
      fault = std::move(faults_.front());
      faults_.pop_front();
    }
    if (const auto found = files_.find(request.path); found != files_.end()) file = found->second;
    index = seen_.size();
    seen_.push_back({.target = request.target,
                     .range = field("Range"),
                     .if_range = field("If-Range"),
                     .if_none_match = field("If-None-Match"),
                     .authorization = field("Authorization"),
                     .host = field("Host")});
    changed_.notify_all();
  }
  if (fault.hold_before_answer && !co_await pass_gate()) co_return;
  if (!file && !fault.status) fault.status = 404;
  if (fault.status) {
    note(index, [&](Seen& seen) { seen.status = *fault.status; });
    const auto sent = co_await responder.send({.status = *fault.status, .headers = fault.headers, .body = fault.body});
    if (sent) note(index, [&](Seen& seen) { seen.body_bytes = fault.body.size(); });
    co_return;
  }
  co_await send_file(*file, fault, index, responder);
}

net::Task<void> FileServer::send_file(const File& file, const Fault& fault, std::size_t index, net::Responder& responder) {
  Slice slice;
  note(index, [&](Seen& seen) {
    slice = slice_of(file, fault, seen);
    seen.status = slice.status;
  });
  if (slice.status == 416 || slice.status == 304) slice.from = slice.to = 0;
  const int status = slice.status;
  if (!co_await responder.start(status, headers_of(file, slice, fault))) co_return;
  const auto limit_before = [&](std::uint64_t sent) {
    std::uint64_t limit = slice.to - slice.from;
    if (fault.cut_after) limit = std::min(limit, *fault.cut_after);
    if (fault.hold_after && sent < *fault.hold_after) limit = std::min(limit, *fault.hold_after);
    return limit;
  };
  for (std::uint64_t sent = 0; sent < slice.to - slice.from;) {
    if (fault.cut_after && sent >= *fault.cut_after) co_return;
    if (fault.hold_after && sent >= *fault.hold_after && !co_await pass_gate()) co_return;
    const auto length = std::min<std::uint64_t>(kChunk, limit_before(sent) - sent);
    const auto bytes = file.read(slice.from + sent, length);
    if (!co_await responder.write(bytes)) co_return;
    sent += bytes.size();
    note(index, [&](Seen& seen) { seen.body_bytes = sent; });
  }
  const auto finished = co_await responder.finish();
  static_cast<void>(finished);  // the client may be gone
}

}  // namespace puna::fakes
