// Reading requests and running their handlers; answers are written in responder.cpp.
#include "net/connection.h"

#include <fmt/format.h>

#include <boost/asio/redirect_error.hpp>

#include "base/log.h"

namespace puna::net {

namespace {
constexpr std::size_t kReadSize = 4096;
constexpr std::size_t kBodyReadSize = 64 << 10;
constexpr std::size_t kReadAheadLimit = 16 << 10;  // of pipelined requests, while a handler runs
constexpr Milliseconds kLinger{1000};              // for a refused client to take its answer
constexpr std::size_t kLingerLimit = 4 << 20;      // of bytes thrown away meanwhile

Error too_slow(std::string_view part, Milliseconds limit) {
  return {Code::deadline_exceeded, fmt::format("the request {} did not come within {}", part, format_duration(limit))};
}
}  // namespace

Connection::Connection(std::shared_ptr<HttpServer::Core> core, Channel channel, Peer peer)
    : core_(std::move(core)),
      channel_(std::move(channel)),
      peer_(std::move(peer)),
      input_came_(core_->io.context().get_executor()),
      watchdog_(core_->io.context().get_executor(), [this] { deadline_passed(); }) {
  core_->connections.insert(this);
  core_->stats.connections = core_->connections.size();
}

Connection::~Connection() {
  core_->connections.erase(this);
  core_->stats.connections = core_->connections.size();
  core_->connection_ended.wake();
}

void Connection::start(std::shared_ptr<Connection> connection) {
  auto* self = connection.get();
  asio::co_spawn(self->core_->io.context().get_executor(), detail::outcome_of(self->serve()),
                 asio::bind_cancellation_slot(
                     self->cancel_.slot(), [connection](const std::exception_ptr& thrown, const detail::Outcome<void>& ended) {
                       if (const auto& fault = thrown ? thrown : ended.thrown)
                         log::error("net", "a connection failed", {{"error", json::encode(detail::describe_exception(fault))}});
                       connection->abort();
                     }));
}

void Connection::start_refusal(std::shared_ptr<Connection> connection, Refusal refusal) {
  auto* self = connection.get();
  ++self->core_->refused_connections;
  asio::co_spawn(self->core_->io.context().get_executor(), detail::outcome_of(self->refuse(std::move(refusal))),
                 asio::bind_cancellation_slot(self->cancel_.slot(), [connection](const std::exception_ptr&, const detail::Outcome<void>&) {
                   --connection->core_->refused_connections;
                   connection->abort();
                 }));
}

void Connection::close_if_idle() {
  if (phase_ == Phase::idle && input_.empty()) abort();
}

void Connection::abort() {
  phase_ = Phase::closing;
  broken_ = true;
  boost::system::error_code ignored;  // a socket that cannot be closed is closed already
  channel_.socket().close(ignored);
  cancel_.emit(asio::cancellation_type::terminal);
}

Task<void> Connection::serve() {
  if (!co_await shake_hands()) co_return;
  while (co_await serve_request()) {
  }
  if (channel_.is_tls() && answer_ == Answer::complete && !broken_) co_await say_end();
}

Task<void> Connection::refuse(Refusal refusal) {
  if (co_await shake_hands()) co_await answer_refusal(std::move(refusal));
}

Task<bool> Connection::shake_hands() {
  if (!channel_.is_tls()) co_return true;
  phase_ = Phase::handling;  // the deadline cancels the socket then
  watchdog_.set_after(core_->options.header_deadline);
  const auto error = co_await channel_.handshake();
  watchdog_.clear();
  if (error) log::debug("net", "no TLS handshake", {{"from", peer_.address}, {"error", json::encode(error.message())}});
  co_return !error && !is_cancelled(co_await asio::this_coro::cancellation_state);
}

Task<void> Connection::say_end() {
  phase_ = Phase::handling;
  watchdog_.set_after(kLinger);
  co_await channel_.say_end();
  watchdog_.clear();
}

Task<bool> Connection::serve_request() {
  request_ = {};
  answer_ = Answer::none;
  status_ = 0;
  added_headers_.clear();
  allowed_origin_.clear();
  keep_alive_ = true;
  if (core_->draining) co_return false;
  RequestParser parser(request_, core_->options.max_header);
  body_parser_ = nullptr;
  body_left_ = false;
  phase_ = Phase::idle;
  timed_out_ = false;
  watchdog_.set_after(core_->options.idle_deadline);
  auto read = co_await read_request(parser);
  if (parser.untouched() || is_cancelled(co_await asio::this_coro::cancellation_state)) co_return false;
  if (!read || *read == RequestParser::Progress::need_more) {
    if (!read) co_await answer_refusal(std::move(read).error());
    co_return false;
  }
  keep_alive_ = parser.keeps_alive();
  if (*read == RequestParser::Progress::header_done) {
    body_parser_ = &parser;
    body_left_ = true;
    request_.read_body = [this] { return read_body_piece(); };
  }
  co_await handle();
  body_parser_ = nullptr;
  if (body_left_ && answer_ == Answer::complete && !broken_) co_await linger();
  co_return answer_ == Answer::complete&& keep_alive_ && !broken_ && !is_cancelled(co_await asio::this_coro::cancellation_state);
}

// Progress::need_more means that the client left in the middle, Progress::header_done that the handler reads the body.
Task<std::expected<RequestParser::Progress, Refusal>> Connection::read_request(RequestParser& parser) {
  using Progress = RequestParser::Progress;
  bool header_done = false;
  while (true) {
    auto rest = input_.readable();
    const auto had = rest.size();
    auto fed = parser.feed(rest);
    input_.consume(had - rest.size());
    http_1_0_ = parser.is_http_1_0();
    if (!fed || *fed == Progress::done) co_return fed;
    if (*fed == Progress::header_done) {
      header_done = true;
      if (auto refusal = judge()) co_return std::unexpected(std::move(*refusal));
      const auto streamed = core_->options.streamed_body ? core_->options.streamed_body(request_) : std::nullopt;
      if (auto refusal = parser.limit_body(streamed.value_or(core_->options.max_body))) co_return std::unexpected(std::move(*refusal));
      if (streamed) co_return Progress::header_done;
      if (request_.headers.contains("Expect") && input_.empty() && !http_1_0_) {
        asio::const_buffer go_on = asio::buffer(std::string_view("HTTP/1.1 100 Continue\r\n\r\n"));
        if (!co_await write_all({&go_on, 1})) co_return Progress::need_more;
      }
      continue;
    }
    if (phase_ == Phase::idle && !parser.untouched()) {
      phase_ = Phase::receiving;
      watchdog_.set_after(core_->options.header_deadline);
    }
    if (header_done) watchdog_.set_after(core_->options.body_deadline);
    if (co_await more_input()) continue;
    if (!timed_out_) co_return Progress::need_more;
    co_return std::unexpected(
        Refusal{408, header_done ? too_slow("body", core_->options.body_deadline) : too_slow("header", core_->options.header_deadline)});
  }
}

Task<Result<std::optional<std::string>>> Connection::read_body_piece() {
  if (!body_parser_) co_return std::nullopt;
  if (request_.headers.contains("Expect") && input_.empty() && !http_1_0_ && answer_ == Answer::none) {
    asio::const_buffer go_on = asio::buffer(std::string_view("HTTP/1.1 100 Continue\r\n\r\n"));
    request_.headers.remove("Expect");
    PUNA_CO_CHECK(co_await write_all({&go_on, 1}));
  }
  while (true) {
    auto rest = input_.readable();
    const auto had = rest.size();
    const auto fed = body_parser_->feed(rest);
    input_.consume(had - rest.size());
    if (!fed || *fed == RequestParser::Progress::done) body_parser_ = nullptr;
    if (!fed) co_return fail(fed.error().error);
    body_left_ = body_parser_ != nullptr;
    if (!request_.body.empty()) co_return std::exchange(request_.body, {});
    if (!body_left_) co_return std::nullopt;
    timed_out_ = false;
    watchdog_.set_after(core_->options.body_deadline);
    const bool more = co_await more_input();
    watchdog_.clear();
    if (more) continue;
    PUNA_CO_CHECK(co_await check_writable());
    if (std::exchange(timed_out_, false)) co_return fail(too_slow("body", core_->options.body_deadline));
    co_return fail(Code::unavailable, "the client left before its request had come");
  }
}

std::optional<Refusal> Connection::judge() {
  request_.peer = peer_;
  const auto sent_id = request_.headers.get("X-Request-Id");
  constexpr std::size_t kLongestId = 128;
  const bool usable = sent_id && !sent_id->empty() && sent_id->size() <= kLongestId && is_header_name(*sent_id);
  request_.id = usable ? std::string(*sent_id) : core_->next_request_id();
  if (!peer_.unix_socket) {
    if (auto refusal = judge_browser()) return refusal;
    if (is_preflight(request_.method, request_.headers)) return std::nullopt;
  }
  auto error = core_->options.admit ? core_->options.admit(request_) : std::nullopt;
  if (!error) return std::nullopt;
  const int status = traits(error->code).http_status;
  return Refusal{status, std::move(*error)};
}

// Host and origin; no browser gets to a Unix socket.
std::optional<Refusal> Connection::judge_browser() {
  const auto host = request_.headers.get("Host").value_or("");
  if (!host.empty() || !http_1_0_)
    if (auto allowed = core_->rules.check_host(host); !allowed) return Refusal{403, std::move(allowed).error()};
  auto origin = core_->rules.check_origin(request_.method, host, request_.headers);
  if (!origin) return Refusal{403, std::move(origin).error()};
  allowed_origin_ = std::move(*origin);
  return std::nullopt;
}

Task<void> Connection::handle() {
  phase_ = Phase::handling;
  watchdog_.clear();
  if (!peer_.unix_socket && is_preflight(request_.method, request_.headers)) {
    auto sent = co_await send(preflight_response(request_.headers, allowed_origin_));
    keep_alive_ = keep_alive_ && sent.has_value();
    co_return;
  }
  core_->request_began();
  read_ahead();
  std::exception_ptr thrown;
  try {
    Responder responder(*this);
    co_await core_->handler(request_, responder);
  } catch (...) {
    thrown = std::current_exception();
  }
  if (thrown)
    log::error("net", "a handler failed",
               {{"request", json::encode(request_.id)},
                {"path", json::encode(request_.path)},
                {"error", json::encode(detail::describe_exception(thrown))}});
  if (answer_ == Answer::none && !broken_ && !is_cancelled(co_await asio::this_coro::cancellation_state)) {
    const auto sent =
        co_await send(core_->error_response(500, {Code::internal, "the request failed inside the server; its log tells more"}, request_));
    keep_alive_ = keep_alive_ && sent.has_value();
  }
  core_->request_ended();
}

Task<void> Connection::answer_refusal(Refusal refusal) {
  phase_ = Phase::handling;
  keep_alive_ = false;
  timed_out_ = false;
  if (request_.id.empty()) request_.id = core_->next_request_id();
  if (!broken_ && co_await send(core_->error_response(refusal.status, refusal.error, request_))) co_await linger();
}

// Closing with unread input would reset the connection, and the client might lose the answer.
Task<void> Connection::linger() {
  co_await say_end();
  if (is_cancelled(co_await asio::this_coro::cancellation_state)) co_return;
  timed_out_ = false;
  watchdog_.set_after(kLinger);
  if (channel_.is_tls()) {
    co_await stop_reading();
    if (!timed_out_) co_await channel_.discard(kLingerLimit);
    co_return;
  }
  phase_ = Phase::closing;
  for (std::size_t thrown_away = 0; thrown_away < kLingerLimit; thrown_away += input_.readable().size()) {
    input_.consume(input_.readable().size());
    if (!co_await more_input()) break;
  }
}

void Connection::read_ahead() {
  if (reading_ || input_ended_ || (phase_ == Phase::handling && input_.readable().size() >= kReadAheadLimit)) return;
  reading_ = true;
  const auto room = input_.room(request_.body.empty() && !body_parser_ ? kReadSize : kBodyReadSize);
  channel_.async_read_some(
      asio::buffer(room.data(), room.size()),
      [self = shared_from_this()](const boost::system::error_code& error, std::size_t bytes) { self->took_input(error, bytes); });
}

void Connection::took_input(const boost::system::error_code& error, std::size_t bytes) {
  reading_ = false;
  input_.commit(bytes);
  const bool gone = error && error != asio::error::operation_aborted;
  input_ended_ = input_ended_ || gone;
  if (phase_ == Phase::handling && answer_ != Answer::upgraded) {
    if (gone) {
      broken_ = true;
      cancel_.emit(asio::cancellation_type::terminal);
    } else if (!error) {
      read_ahead();
    }
  }
  input_came_.wake();
}

// False when nothing more comes: the client left, the deadline passed, or the connection was aborted.
Task<bool> Connection::more_input() {
  const auto had = input_.readable().size();
  read_ahead();
  while (input_.readable().size() == had && reading_ && !timed_out_ && !is_cancelled(co_await asio::this_coro::cancellation_state))
    co_await input_came_.wait();
  co_return input_.readable().size() > had && !timed_out_;
}

Task<void> Connection::stop_reading() {
  boost::system::error_code ignored;
  channel_.socket().cancel(ignored);
  while (reading_) co_await input_came_.wait();
}

void Connection::deadline_passed() {
  timed_out_ = true;
  if (phase_ == Phase::idle) return abort();
  if (phase_ != Phase::handling) return input_came_.wake();
  boost::system::error_code ignored;
  channel_.socket().cancel(ignored);  // ends the wait of a writer whose client takes nothing
}

}  // namespace puna::net
