// An HTTP server of files that misbehaves as it is told: for tests of whatever downloads.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "net/http_server.h"
#include "net/io.h"

namespace puna::fakes {

struct File {
  // The bytes from an offset on, as many as there are up to `length`.
  std::function<std::string(std::uint64_t offset, std::size_t length)> read;
  std::uint64_t size = 0;
  std::string etag = "\"v1\"";  // empty: none is sent
  std::string last_modified;    // the same
  std::string content_type = "application/octet-stream";

  static File of(std::string bytes, std::string etag = "\"v1\"");
};

// What goes wrong with one answer. Without any of it the answer is right: ranges, If-Range, If-None-Match, 416.
struct Fault {
  std::optional<int> status;                        // this instead of the file, with `body` and `headers`
  std::string body;                                 // with `status`
  net::Headers headers;                             // in place of those of the same name; an empty value: not sent
  bool whole = false;                               // the whole file with status 200 although a range was asked for
  bool without_length = false;                      // chunked
  std::optional<std::uint64_t> cut_after;           // bytes of the body; then the connection breaks
  std::optional<std::uint64_t> most;                // sends a shorter range than asked for, and says so
  std::optional<std::uint64_t> hold_after;          // bytes of the body; goes on when release() is called
  std::optional<std::uint64_t> hold_before_answer;  // any value: nothing is sent until release() is called
};

struct Seen {
  std::string target;
  std::string range;
  std::string if_range;
  std::string if_none_match;
  std::string authorization;
  std::string host;
  int status = 0;
  std::uint64_t body_bytes = 0;  // written by now
};

// On 127.0.0.1, with a network thread of its own. Thread-safe.
class FileServer {
 public:
  FileServer();
  ~FileServer();
  FileServer(const FileServer&) = delete;
  FileServer& operator=(const FileServer&) = delete;

  // "http://127.0.0.1:PORT" and the path; another host name makes another origin of it.
  [[nodiscard]] std::string url(std::string_view path, std::string_view host = "127.0.0.1") const;
  void serve(std::string path, File file);
  // For the next answer that has none yet, in this order.
  void fault(Fault fault);
  // Lets every answer go on that is held now or will be.
  void release();

  [[nodiscard]] std::vector<Seen> requests() const;
  [[nodiscard]] std::uint64_t body_bytes() const;  // of all answers
  // Waits until it holds; false after 20 s.
  [[nodiscard]] bool await(const std::function<bool(const std::vector<Seen>&)>& condition) const;

 private:
  net::Task<void> handle(net::ServerRequest& request, net::Responder& responder);
  net::Task<void> send_file(const File& file, const Fault& fault, std::size_t index, net::Responder& responder);
  net::Task<Result<>> pass_gate();
  void note(std::size_t index, const std::function<void(Seen&)>& change);

  net::Io io_{1};
  net::Notifier released_{io_};
  std::unique_ptr<net::HttpServer> server_;  // network thread
  std::uint16_t port_ = 0;

  mutable std::mutex mutex_;  // guards what follows
  mutable std::condition_variable changed_;
  std::map<std::string, File> files_;
  std::deque<Fault> faults_;
  std::vector<Seen> seen_;
  bool open_ = false;

  std::thread thread_;
};

}  // namespace puna::fakes
