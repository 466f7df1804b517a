// An HTTP answer for a thread that may block: the transfer lives on the network thread, the reader on its own.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "base/error.h"
#include "net/http_client.h"
#include "net/io.h"

namespace puna::hub {

// Every call waits for as long as the request's deadlines allow, and returns Code::cancelled at once when `stop` is requested. Never to be
// used on the network thread. The transfer has ended when the destructor returns.
class BlockingStream {
 public:
  [[nodiscard]] static Result<BlockingStream> open(net::Io& io, net::HttpClient& client, net::HttpRequest request,
                                                   const std::stop_token& stop);
  BlockingStream(BlockingStream&&) noexcept = default;
  BlockingStream& operator=(BlockingStream&&) = delete;
  ~BlockingStream();

  [[nodiscard]] int status() const;
  [[nodiscard]] const net::Headers& headers() const;
  // What has arrived since the last call; nothing at the end only. A reader that does not come holds the server back: memory stays flat.
  [[nodiscard]] Result<std::string> read(const std::stop_token& stop);
  // The rest, cut at `limit`.
  [[nodiscard]] Result<std::string> read_beginning(std::size_t limit, const std::stop_token& stop);

 private:
  struct State;
  explicit BlockingStream(std::shared_ptr<State> state) : state_(std::move(state)) {}
  static net::Task<Result<>> copy(std::shared_ptr<State> state, net::HttpClient& client, net::HttpRequest request);
  static net::Task<void> transfer(std::shared_ptr<State> state, net::HttpClient& client, net::HttpRequest request);

  std::shared_ptr<State> state_;  // shared with the coroutine on the network thread
};

}  // namespace puna::hub
