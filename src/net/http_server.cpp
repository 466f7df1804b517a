// Listening, accepting and draining; a connection's life is in connection.cpp.
#include "net/http_server.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <random>

#include "base/log.h"
#include "net/connection.h"
#include "net/listeners.h"
#include "net/retry.h"

namespace puna::net {

namespace {

constexpr std::size_t kMostRefusals = 64;         // clients told at one time that there are too many
constexpr Milliseconds kOutOfDescriptors{100};    // before accepting again
constexpr Milliseconds kCancelledHandlers{2000};  // to end, once cancelled

Response default_error(int status, const Error& error, const ServerRequest&) {
  const auto& row = traits(error.code);
  return json_response(status, json::object{{"error", {{"code", row.name}, {"message", error.message}, {"type", row.openai_type}}}});
}

}  // namespace

HttpServer::Core::Core(Io& network, ServerOptions given, Handler on_request)
    : io(network),
      options(std::move(given)),
      handler(std::move(on_request)),
      rules(options.allowed_hosts, options.allowed_origins),
      connection_ended(network.context().get_executor()),
      id_prefix_(fmt::format("{:08x}", std::random_device()())) {
  if (!options.format_error) options.format_error = default_error;
  if (options.allowed_uids.empty()) options.allowed_uids.push_back(::geteuid());
}

Response HttpServer::Core::error_response(int status, const Error& error, const ServerRequest& request) const {
  return options.format_error(status, error, request);
}

std::string_view HttpServer::Core::date() {
  const auto now = std::chrono::system_clock::now();
  if (const auto second = unix_seconds(now); second != date_second_) {
    date_second_ = second;
    date_ = format_http_date(now);
  }
  return date_;
}

std::string HttpServer::Core::next_request_id() {
  return fmt::format("{}-{:x}", id_prefix_, ++last_id_);
}

void HttpServer::Core::request_began() {
  ++stats.requests;
  ++stats.active_requests;
  if (activity) activity();
}

void HttpServer::Core::request_ended() {
  --stats.active_requests;
  if (activity) activity();
}

namespace {

// Sees that a new socket is served, or told why not.
void welcome(const std::shared_ptr<HttpServer::Core>& core, Socket socket, const Listener& listener) {
  const bool unix_socket = listener.is_unix();
  auto peer = identify_peer(socket, unix_socket);
  if (!peer) return;  // gone already
  boost::system::error_code error;
  socket.non_blocking(true, error);
  if (!unix_socket && !error) socket.set_option(asio::ip::tcp::no_delay(true), error);
  if (error) return;
  if (unix_socket && std::ranges::find(core->options.allowed_uids, *peer->uid) == core->options.allowed_uids.end()) {
    log::warning("net", "refused another user's connection", {{"uid", *peer->uid}, {"pid", *peer->pid}});
    return;
  }
  const bool full = core->stats.connections >= core->options.max_connections + core->refused_connections;
  if (full && core->refused_connections >= kMostRefusals) return;
  Channel channel(std::move(socket), listener.security() == Security::tls ? core->identity : nullptr);
  auto connection = std::make_shared<Connection>(core, std::move(channel), std::move(*peer));
  if (!full) return Connection::start(std::move(connection));
  Connection::start_refusal(
      std::move(connection),
      {503, {Code::overloaded, fmt::format("{} connections are open already; try again later", core->options.max_connections)}});
}

Task<void> accept_connections(std::shared_ptr<HttpServer::Core> core, std::shared_ptr<Listener> listener) {
  while (listener->acceptor().is_open()) {
    Socket socket(core->io.context().get_executor());
    const auto [error] = co_await listener->acceptor().async_accept(socket, asio::as_tuple(asio::deferred));
    if (!error) {
      welcome(core, std::move(socket), *listener);
    } else if (listener->acceptor().is_open() && error != asio::error::connection_aborted) {
      log::warning("net", "cannot accept connections for the moment", {{"error", json::encode(error.message())}});
      if (!co_await sleep_for(kOutOfDescriptors)) break;
    }
  }
}

}  // namespace

HttpServer::HttpServer(Io& io, ServerOptions options, Handler handler)
    : core_(std::make_shared<Core>(io, std::move(options), std::move(handler))) {}

HttpServer::~HttpServer() {
  core_->stop_listening();
  core_->activity = nullptr;
  core_->abort_connections();
}

void HttpServer::Core::stop_listening() {
  draining = true;
  for (auto& listener : listeners) listener->close();
  listeners.clear();
}

void HttpServer::Core::abort_connections() {
  for (auto* connection : connections) connection->abort();
}

void HttpServer::Core::listen(std::shared_ptr<Listener> listener) {
  listeners.push_back(listener);
  spawn(io, "accept", accept_connections(shared_from_this(), std::move(listener))).detach();
}

void HttpServer::use_tls(std::shared_ptr<TlsIdentity> identity) {
  core_->identity = std::move(identity);
}

Result<Endpoint> HttpServer::listen_tcp(std::string_view host, std::uint16_t port, Security security) {
  if (security == Security::tls && !core_->identity) return fail(Code::internal, "a TLS listener needs a certificate");
  PUNA_TRY(std::shared_ptr<Listener> listener, Listener::tcp(core_->io, host, port));
  listener->set_security(security);
  core_->rules.allow_host(host);
  auto endpoint = listener->endpoint();
  core_->listen(std::move(listener));
  return endpoint;
}

Result<> HttpServer::listen_unix(const std::filesystem::path& path) {
  PUNA_TRY(std::shared_ptr<Listener> listener, Listener::unix_socket(core_->io, path));
  core_->listen(std::move(listener));
  return {};
}

Task<void> HttpServer::drain(Milliseconds grace) {
  auto core = core_;
  core->stop_listening();
  // Closing a connection does not end it at once, so the set stays as it is meanwhile.
  for (auto* connection : core->connections) connection->close_if_idle();
  const auto all_ended = [](std::shared_ptr<Core> of) -> Task<Result<>> {
    while (!of->connections.empty()) {
      if (is_cancelled(co_await asio::this_coro::cancellation_state)) co_return fail(cancelled_error());
      co_await of->connection_ended.wait();
    }
    co_return Result<>();
  };
  if (co_await within(grace, "draining", all_ended(core))) co_return;
  core->abort_connections();
  if (!co_await within(kCancelledHandlers, "cancelling requests", all_ended(core)))
    log::warning("net", "requests go on after they were cancelled", {{"connections", core->connections.size()}});
}

ServerStats HttpServer::stats() const {
  return core_->stats;
}

void HttpServer::on_activity(std::function<void()> callback) {
  core_->activity = std::move(callback);
}

void HttpServer::set_allowed(std::vector<std::string> hosts, std::vector<std::string> origins) {
  core_->rules.replace(std::move(hosts), std::move(origins));
}

}  // namespace puna::net
