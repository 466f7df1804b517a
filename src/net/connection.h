// One client's connection: requests are read, handled and answered one after the other, in one coroutine.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/channel.h"
#include "net/input_buffer.h"
#include "net/request_parser.h"
#include "net/server_core.h"

namespace puna::net {

// Reads ahead while a handler runs: that is how a client that goes away is noticed, and a pipelined request is no goodbye.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<HttpServer::Core> core, Channel channel, Peer peer);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Starts the coroutine, which keeps the object alive until it ends.
  static void start(std::shared_ptr<Connection> connection);
  // Tells the client why it is not served, then closes.
  static void start_refusal(std::shared_ptr<Connection> connection, Refusal refusal);

  void close_if_idle();
  // Cancels the handler and closes.
  void abort();

 private:
  friend class Responder;
  enum class Phase { idle, receiving, handling, closing };

  Task<void> serve();
  Task<void> refuse(Refusal refusal);
  // One request from its first byte to the end of its answer; false when no other may follow.
  Task<bool> serve_request();
  Task<std::expected<RequestParser::Progress, Refusal>> read_request(RequestParser& parser);
  Task<void> handle();
  // ServerRequest::read_body.
  Task<Result<std::optional<std::string>>> read_body_piece();
  // Answers with an error of the server's own and lets the client read it before the connection closes.
  Task<void> answer_refusal(Refusal refusal);
  Task<void> linger();
  // Of TLS; false when there will be no request.
  Task<bool> shake_hands();
  Task<void> say_end();
  std::optional<Refusal> judge();
  std::optional<Refusal> judge_browser();

  // Input.
  void read_ahead();
  void took_input(const boost::system::error_code& error, std::size_t bytes);
  Task<bool> more_input();
  Task<void> stop_reading();
  void deadline_passed();

  // Output; see Responder for the promises.
  Task<Result<>> send(Response response);
  Task<Result<>> start_answer(int status, Headers headers);
  Task<Result<>> write_body(std::string_view bytes);
  Task<Result<>> finish_body();
  Task<Result<WebSocket>> upgrade(WebSocketOptions options);
  void compose_head(int status, const Headers& headers, std::optional<std::uint64_t> length);
  Task<Result<>> write_all(std::span<asio::const_buffer> buffers);
  Task<Result<>> write_sealed(std::span<asio::const_buffer> buffers);
  Task<Result<>> check_writable();

  std::shared_ptr<HttpServer::Core> core_;
  Channel channel_;
  Peer peer_;
  asio::cancellation_signal cancel_;
  Phase phase_ = Phase::idle;

  InputBuffer input_;
  Wakeup input_came_;
  bool reading_ = false;
  bool input_ended_ = false;
  bool timed_out_ = false;
  Watchdog watchdog_;

  // The request being answered.
  ServerRequest request_;
  std::string allowed_origin_;  // to answer with, for CORS
  bool http_1_0_ = false;
  bool keep_alive_ = true;
  RequestParser* body_parser_ = nullptr;  // while its streamed body comes
  bool body_left_ = false;                // bytes of it that nobody may read

  // Its answer.
  enum class Answer { none, streaming, complete, upgraded };
  Answer answer_ = Answer::none;
  int status_ = 0;
  Headers added_headers_;
  bool chunked_ = false;
  std::optional<std::uint64_t> owed_;  // bytes still to come of a stated Content-Length
  bool broken_ = false;                // the client takes no more
  std::string head_;
  std::size_t unyielded_ = 0;  // bytes written since other coroutines had their turn
};

}  // namespace puna::net
