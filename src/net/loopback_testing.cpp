#include "net/loopback_testing.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

namespace puna::net::loopback {

TemporaryFolder::TemporaryFolder() {
  std::string name = std::filesystem::temp_directory_path() / "puna-net-XXXXXX";
  if (!::mkdtemp(name.data())) ADD_FAILURE() << "no temporary folder: " << std::strerror(errno);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

TestServer::TestServer(Handler handler, ServerOptions options) {
  network.call([&] {
    server = std::make_unique<HttpServer>(network.io, std::move(options), std::move(handler));
    auto bound = server->listen_tcp("127.0.0.1", 0);
    EXPECT_TRUE(bound) << (bound ? "" : bound.error().text());
    if (bound) endpoint_ = *bound;
  });
}

TestServer::~TestServer() {
  network.run(server->drain(Milliseconds(0)));
  network.call([this] { server.reset(); });
  network.stop();
}

void TestServer::expect_soon(const std::function<bool(const ServerStats&)>& condition, std::string_view what) {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (!condition(stats())) {
    if (std::chrono::steady_clock::now() > give_up) {
      ADD_FAILURE() << "never came about: " << what;
      return;
    }
    std::this_thread::yield();
  }
}

TestClient::TestClient(ClientOptions options) : own_(std::make_unique<NetworkThread>()), network_(*own_) {
  network_.call([&] { http_ = std::make_unique<HttpClient>(network_.io, std::move(options)); });
}

TestClient::TestClient(TestServer& server, ClientOptions options) : network_(server.network), server_(server.endpoint()) {
  network_.call([&] { http_ = std::make_unique<HttpClient>(network_.io, std::move(options)); });
}

HttpRequest TestClient::to(std::string_view target) const {
  HttpRequest request;
  request.url = *Url::parse(fmt::format("http://127.0.0.1:{}{}", server_.port, target));
  return request;
}

void TestClient::run(const std::function<Task<Result<>>(HttpClient&)>& body) {
  const auto result = network_.run(body(*http_));
  EXPECT_TRUE(result) << (result ? "" : result.error().text());
}

TestClient::~TestClient() {
  network_.call([&] { http_.reset(); });
}

namespace {

int listen_anywhere(int backlog, Endpoint& endpoint) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener, backlog) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    ADD_FAILURE() << "listen: " << std::strerror(errno);
  endpoint = {.address = "127.0.0.1", .port = ntohs(address.sin_port)};
  return listener;
}

}  // namespace

FullPort::FullPort() {
  sockets_.push_back(listen_anywhere(0, endpoint_));
  for (int i = 0; i < 4; ++i) {  // what the kernel takes beyond the backlog
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint_.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address));
    sockets_.push_back(socket);
  }
}

FullPort::~FullPort() {
  for (int socket : sockets_) ::close(socket);
}

ScriptedPort::ScriptedPort(std::vector<std::string> answers)
    : ScriptedPort([answers = std::move(answers), next = 0UZ](int socket) mutable {
        char request[4096];
        if (::recv(socket, request, sizeof(request), 0) <= 0 || next == answers.size()) return;
        ::send(socket, answers[next].data(), answers[next].size(), MSG_NOSIGNAL);
        ++next;
      }) {}

ScriptedPort::ScriptedPort(std::function<void(int socket)> serve) : listener_(listen_anywhere(8, endpoint_)) {
  thread_ = std::thread([this, serve = std::move(serve)] {
    for (int socket = -1; (socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
      serve(socket);
      ::close(socket);
    }
  });
}

void ScriptedPort::stop() {
  if (!thread_.joinable()) return;
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
}

RawClient::RawClient(const Endpoint& endpoint, int receive_buffer) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (receive_buffer > 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) ADD_FAILURE() << "connect: " << std::strerror(errno);
}

RawClient::RawClient(const std::filesystem::path& socket) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket.c_str(), sizeof(address.sun_path) - 1);
  if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) ADD_FAILURE() << "connect: " << std::strerror(errno);
}

RawClient& RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) break;  // the server may close first; the answer tells
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return *this;
}

RawClient& RawClient::request(std::string_view line, std::initializer_list<std::string_view> fields, std::string_view body) {
  auto text = fmt::format("{} HTTP/1.1\r\nHost: localhost\r\n", line);
  for (auto field : fields) text.append(field).append("\r\n");
  if (!body.empty()) text += fmt::format("Content-Length: {}\r\n", body.size());
  return send(text + "\r\n" + std::string(body));
}

bool RawClient::receive() {
  pollfd ready{.fd = socket_, .events = POLLIN, .revents = 0};
  if (::poll(&ready, 1, static_cast<int>(Milliseconds(kPatience).count())) <= 0) {
    ADD_FAILURE() << "the server sent nothing more after: " << received_.substr(0, 500);
    return false;
  }
  char buffer[65536];
  const auto count = ::recv(socket_, buffer, sizeof(buffer), 0);
  if (count > 0) received_.append(buffer, static_cast<std::size_t>(count));
  return count > 0;
}

std::string RawClient::read_until(std::string_view mark) {
  std::size_t at = 0;
  while ((at = received_.find(mark)) == std::string::npos)
    if (!receive()) return std::exchange(received_, {});
  auto out = received_.substr(0, at + mark.size());
  received_.erase(0, out.size());
  return out;
}

std::string RawClient::read_exactly(std::size_t count) {
  while (received_.size() < count)
    if (!receive()) return std::exchange(received_, {});
  auto out = received_.substr(0, count);
  received_.erase(0, count);
  return out;
}

std::string RawClient::read_to_end() {
  while (receive()) {
  }
  return std::exchange(received_, {});
}

Response RawClient::read_response() {
  Response response{.status = 0, .headers = {}, .body = {}};
  auto head = read_until("\r\n\r\n");
  if (!head.starts_with("HTTP/1.1 ") || !head.ends_with("\r\n\r\n")) return response;
  response.status = std::stoi(head.substr(9, 3));
  for (auto at = head.find("\r\n") + 2; at + 2 < head.size();) {
    const auto end = head.find("\r\n", at);
    const auto colon = head.find(": ", at);
    response.headers.add(head.substr(at, colon - at), head.substr(colon + 2, end - colon - 2));
    at = end + 2;
  }
  if (const auto length = response.headers.get("Content-Length")) response.body = read_exactly(std::stoul(std::string(*length)));
  if (response.headers.has_token("Transfer-Encoding", "chunked")) {
    while (const auto size = std::stoul("0" + read_until("\r\n"), nullptr, 16)) response.body += read_exactly(size + 2).substr(0, size);
    read_until("\r\n");
  }
  return response;
}

void RawClient::close() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

void RawClient::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  close();
}

std::size_t open_descriptors() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator()));
}

Handler answer_with(std::string text) {
  return [text = std::move(text)](ServerRequest&, Responder& responder) -> Task<void> {
    co_await responder.send({.status = 200, .headers = {{"Content-Type", "text/plain"}}, .body = text});
  };
}

Handler answer_until_it_fails(std::promise<Error>& told) {
  return [&told](ServerRequest&, Responder& responder) -> Task<void> {
    co_await responder.start(200, {});
    const std::string piece(1 << 20, 'x');
    Result<> written;
    while (written) written = co_await responder.write(piece);
    told.set_value(written.error());
  };
}

Error error_of(std::promise<Error>& told) {
  auto error = told.get_future();
  if (error.wait_for(kPatience) == std::future_status::ready) return error.get();
  ADD_FAILURE() << "the answer does not fail";
  return {};
}

}  // namespace puna::net::loopback
