// libcurl's multi interface on the io_context: its sockets are watched and its timer kept there, so it has no thread and never polls.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "net/http_client.h"

namespace puna::net {

// Handles are curl's CURL* and CURLM*, which curl.h itself calls void*. Network thread only; nothing here may be called from inside a
// callback of curl, and coroutines never run inside one.
class CurlMulti : public std::enable_shared_from_this<CurlMulti> {
 public:
  static Result<std::shared_ptr<CurlMulti>> create(Io& io, const ClientOptions& options);
  ~CurlMulti();
  CurlMulti(const CurlMulti&) = delete;
  CurlMulti& operator=(const CurlMulti&) = delete;

  void configure(const ClientOptions& options);
  [[nodiscard]] const asio::any_io_executor& executor() const { return executor_; }

  // A handle without settings, but for those that tie it to this object.
  [[nodiscard]] void* take_handle();
  void give_back(void* easy);

  // Starts the transfer whose handle is set up. Transfer::ended is called when curl is done with it, never from within start().
  Result<> start(Transfer& transfer);
  void remove(Transfer& transfer);
  void unpause(Transfer& transfer);
  // Ends every transfer with Code::cancelled.
  void shut_down();

 private:
  using Descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;
  // A socket that curl has open. It stays registered from its opening to its closing, so a kept connection costs no system call a request.
  struct Watch {
    explicit Watch(asio::io_context& context, int socket) : descriptor(context, socket) {}
    Descriptor descriptor;
    bool kept = false;       // opened through us, until curl closes it; curl's own sockets only live while they are watched
    bool connected = false;  // has been ready; before that, curl may close it untold
    bool closed = false;
    bool wants_read = false, wants_write = false;
    bool awaits_read = false, awaits_write = false;
  };

  CurlMulti(Io& io, void* multi);
  void set_options(const ClientOptions& options);

  // Curl's callbacks.
  static int on_socket(void* easy, int socket, int what, void* self, void* unused);
  static int on_timer(void* multi, long milliseconds, void* self);
  static int on_open(void* self, int purpose, void* address);
  static int on_close(void* self, int socket);

  std::shared_ptr<Watch> watch(int socket);
  void forget(int socket);
  void await_ready(const std::shared_ptr<Watch>& watch, bool read);
  void became_ready(const std::shared_ptr<Watch>& watch, bool read, bool failed);
  void act(int socket, int events);
  void run_soon();
  void collect_ended();

  asio::io_context& context_;
  asio::any_io_executor executor_;
  void* multi_;
  std::unordered_map<int, std::shared_ptr<Watch>> watches_;  // shared with waits under way
  std::unordered_set<Transfer*> active_;
  std::vector<void*> spare_;  // handles ready for use
  Watchdog timer_;
  bool uses_tls_ = false;  // has been asked for https at least once
  bool run_wanted_ = false;
  bool run_posted_ = false;
};

}  // namespace puna::net
