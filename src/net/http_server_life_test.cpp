// Listening, clients that vanish, and leaving.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "net/http_server.h"
#include "net/loopback_testing.h"

namespace puna::net {
namespace {

using namespace loopback;
using namespace std::chrono_literals;
using testing::HasSubstr;

// A handler that waits for ever, and what it was told in the end.
struct WaitingHandler {
  Task<void> operator()(ServerRequest&, Responder&) {
    auto waited = co_await sleep_for(kForever);
    ended.set_value(waited ? Code::internal : waited.error().code);
  }
  Code wait() {
    auto future = ended.get_future();
    return future.wait_for(kPatience) == std::future_status::ready ? future.get() : Code::internal;
  }
  std::promise<Code> ended;
};

TEST(HttpServerLife, cancels_the_handler_of_a_client_that_goes_away) {
  for (const bool rudely : {false, true}) {
    WaitingHandler waiting;
    TestServer server([&](ServerRequest& request, Responder& responder) { return waiting(request, responder); });
    RawClient client(server.endpoint());
    client.request("GET /");
    server.expect_soon([](const auto& stats) { return stats.active_requests == 1; }, "a running handler");
    rudely ? client.reset() : client.close();
    EXPECT_EQ(waiting.wait(), Code::cancelled);
    server.expect_soon([](const auto& stats) { return stats.connections == 0 && stats.active_requests == 0; }, "no connection");
  }
}

TEST(HttpServerLife, takes_a_pipelined_request_for_no_goodbye) {
  NetworkThread other;
  Gate gate(other.io);
  std::atomic<int> cancelled = 0;
  TestServer server([&](ServerRequest& request, Responder& responder) -> Task<void> {
    if (request.path == "/1" && !co_await gate.pass()) ++cancelled;
    co_await answer_with(request.path)(request, responder);
  });
  RawClient client(server.endpoint());
  client.request("GET /1").request("GET /2").request("POST /3", {}, std::string(100'000, 'x'));  // more than is read ahead
  server.expect_soon([](const auto& stats) { return stats.active_requests == 1; }, "a running handler");
  gate.open();
  for (auto path : {"/1", "/2", "/3"}) EXPECT_EQ(client.read_response().body, path);
  EXPECT_EQ(cancelled, 0);
}

TEST(HttpServerLife, leaves_no_descriptor_behind_when_200_clients_connect_and_vanish) {
  TestServer server([&](ServerRequest&, Responder&) -> Task<void> { co_await sleep_for(kForever); });
  const auto before = open_descriptors();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(std::make_unique<RawClient>(server.endpoint()));
    if (i % 2 == 0) clients.back()->request("GET /");  // half of them in the middle of a request
  }
  server.expect_soon([](const auto& stats) { return stats.connections == 200 && stats.active_requests == 100; }, "200 connections");
  for (auto& client : clients) client->reset();
  server.expect_soon([](const auto& stats) { return stats.connections == 0; }, "no connection");
  EXPECT_EQ(open_descriptors(), before);
}

TEST(HttpServerLife, lets_active_requests_end_when_it_drains_and_takes_no_new_ones) {
  NetworkThread other;
  Gate gate(other.io);
  TestServer server([&](ServerRequest& request, Responder& responder) -> Task<void> {
    co_await gate.pass();
    co_await answer_with("done")(request, responder);
  });
  RawClient idle(server.endpoint());
  RawClient active(server.endpoint());
  active.request("GET /");
  server.expect_soon([](const auto& stats) { return stats.active_requests == 1 && stats.connections == 2; }, "both clients");
  auto drained = asio::co_spawn(server.network.io.context(), server.server->drain(1h), asio::use_future);
  EXPECT_EQ(idle.read_to_end(), "");
  gate.open();
  const auto response = active.read_response();
  EXPECT_EQ(response.body, "done");
  EXPECT_EQ(response.headers.get("Connection"), "close");
  EXPECT_EQ(drained.wait_for(kPatience), std::future_status::ready);
}

TEST(HttpServerLife, cancels_what_goes_on_after_the_grace) {
  WaitingHandler waiting;
  TestServer server([&](ServerRequest& request, Responder& responder) { return waiting(request, responder); });
  RawClient client(server.endpoint());
  client.request("GET /");
  server.expect_soon([](const auto& stats) { return stats.active_requests == 1; }, "a running handler");
  server.network.run(server.server->drain(5ms));
  EXPECT_EQ(server.stats().connections, 0);
  EXPECT_EQ(waiting.wait(), Code::cancelled);
  EXPECT_EQ(client.read_to_end(), "");
}

TEST(HttpServerLife, tells_who_asks_when_requests_begin_and_end) {
  TestServer server(answer_with("ok"));
  std::vector<std::size_t> active;
  server.network.call([&] { server.server->on_activity([&] { active.push_back(server.server->stats().active_requests); }); });
  EXPECT_EQ(RawClient(server.endpoint()).request("GET /").read_response().status, 200);
  server.expect_soon([](const auto& stats) { return stats.active_requests == 0 && stats.connections == 0; }, "the end");
  EXPECT_THAT(server.network.call([&] { return active; }), testing::ElementsAre(1, 0));
}

TEST(HttpServerLife, names_the_process_that_holds_its_port) {
  TestServer holder(answer_with("ok"));
  const auto taken = holder.network.call([&] { return holder.server->listen_tcp("127.0.0.1", holder.endpoint().port); });
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Code::conflict);
  EXPECT_EQ(taken.error().message,
            "port " + std::to_string(holder.endpoint().port) + " is taken by pid " + std::to_string(::getpid()) + " (puna_net_test)");
}

TEST(HttpServerLife, listens_on_addresses_only) {
  TestServer server(answer_with("ok"));
  const auto listen = [&](std::string_view host) { return server.network.call([&] { return server.server->listen_tcp(host, 0); }); };
  EXPECT_TRUE(listen("localhost"));
  EXPECT_EQ(listen("example.com").error().code, Code::invalid_argument);
  EXPECT_FALSE(listen("8.8.8.8"));  // not an address of this machine
}

TEST(HttpServerUnixSocket, is_private_and_knows_its_peer) {
  const TemporaryFolder folder;
  Peer peer;
  TestServer server([&](ServerRequest& request, Responder& responder) -> Task<void> {
    peer = request.peer;
    co_await answer_with("ok")(request, responder);
  });
  const auto path = folder / "s.sock";
  ASSERT_TRUE(server.network.call([&] { return server.server->listen_unix(path); }));
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600);
  RawClient client(path);
  EXPECT_EQ(client.send("GET / HTTP/1.1\r\nHost: anything\r\nOrigin: http://x\r\n\r\n").read_response().status, 200);
  EXPECT_TRUE(peer.unix_socket);
  EXPECT_EQ(peer.uid, ::geteuid());
  EXPECT_EQ(peer.pid, ::getpid());
}

TEST(HttpServerUnixSocket, is_not_for_other_users) {
  const TemporaryFolder folder;
  TestServer server(answer_with("ok"), {.allowed_uids = {::geteuid() + 1}});
  ASSERT_TRUE(server.network.call([&] { return server.server->listen_unix(folder / "s.sock"); }));
  EXPECT_EQ(RawClient(folder / "s.sock").request("GET /").read_to_end(), "");
}

TEST(HttpServerUnixSocket, replaces_a_dead_socket_but_never_a_living_server_or_a_file) {
  const TemporaryFolder folder;
  TestServer server(answer_with("ok"));
  const auto listen = [&](std::string_view name) { return server.network.call([&] { return server.server->listen_unix(folder / name); }); };
  ASSERT_TRUE(listen("s.sock"));
  const auto living = listen("s.sock");
  EXPECT_EQ(living.error().code, Code::conflict);
  EXPECT_THAT(living.error().message, HasSubstr("a server already answers at"));
  std::filesystem::rename(folder / "s.sock", folder / "moved.sock");
  server.network.run(server.server->drain(0ms));
  ASSERT_TRUE(std::filesystem::exists(folder / "moved.sock"));  // dead now: it was not where its server expected it
  EXPECT_TRUE(listen("moved.sock"));
  std::ofstream(folder / "file") << "precious";
  EXPECT_EQ(listen("file").error().code, Code::conflict);
  EXPECT_EQ(listen(std::string(200, 'x')).error().code, Code::invalid_argument);
}

TEST(HttpServerUnixSocket, goes_with_its_server) {
  const TemporaryFolder folder;
  {
    TestServer server(answer_with("ok"));
    ASSERT_TRUE(server.network.call([&] { return server.server->listen_unix(folder / "s.sock"); }));
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "s.sock"));
}

}  // namespace
}  // namespace puna::net
