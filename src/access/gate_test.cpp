#include "access/gate.h"

#include <gtest/gtest.h>

#include "access/access_testing.h"

namespace puna::access {
namespace {

using wire::Scope;

const net::Peer kSocket{.unix_socket = true, .uid = 1000};
const net::Peer kNear{.address = "127.0.0.1"};
const net::Peer kFar{.address = "192.168.1.7"};

net::Headers with(std::string_view key) {
  return {{"Authorization", fmt::format("Bearer {}", key)}};
}

std::string wrong(int number) {
  return fmt::format("puna_{:043}", number);
}

struct GateScene : Scene {
  Gate gate{keys, settings(), clock};
  Code refusal(const net::Peer& peer, const net::Headers& headers) {
    const auto caller = gate.admit(peer, headers);
    return caller ? Code::internal : caller.error().code;
  }
};

// ledger: M6
TEST(Gate, asks_for_no_key_on_loopback_and_for_one_elsewhere) {
  GateScene scene;
  EXPECT_TRUE(scene.gate.admit(kNear, {})->may(Scope::admin));
  EXPECT_TRUE(scene.gate.admit({.address = "::1"}, {})->may(Scope::admin));
  EXPECT_EQ(scene.refusal(kFar, {}), Code::unauthenticated);
  const auto secret = scene.secret({.name = "laptop"});
  EXPECT_EQ(scene.gate.admit(kFar, with(secret))->kind, CallerKind::key);
  EXPECT_TRUE(scene.gate.admit(kNear, {})) << "a key that exists changes nothing for loopback";
}

TEST(Gate, asks_for_one_on_loopback_too_when_the_setting_says_so) {
  GateScene scene;
  scene.set({{"access.require_key", "true"}});
  EXPECT_EQ(scene.refusal(kNear, {}), Code::unauthenticated);
  EXPECT_EQ(scene.refusal(kNear, with("ollama")), Code::unauthenticated);
  EXPECT_TRUE(scene.gate.admit(kSocket, {})->may(Scope::admin)) << "the user of the socket is never locked out";
}

TEST(Gate, never_takes_a_wrong_key_for_none) {
  GateScene scene;
  EXPECT_EQ(scene.refusal(kNear, with(wrong(1))), Code::unauthenticated);
  EXPECT_EQ(scene.refusal(kSocket, with(wrong(1))), Code::unauthenticated);
}

TEST(Gate, takes_a_filler_that_clients_must_send_for_none) {
  GateScene scene;
  EXPECT_TRUE(scene.gate.admit(kNear, with("none")));
  EXPECT_EQ(scene.refusal(kFar, with("none")), Code::unauthenticated);
}

TEST(Gate, a_key_on_loopback_counts_with_its_own_scopes) {
  GateScene scene;
  const auto secret = scene.secret({.name = "laptop"});
  EXPECT_FALSE(scene.gate.admit(kNear, with(secret))->may(Scope::manage));
}

TEST(Gate, that_is_insecure_lets_strangers_use_models_and_no_more_until_a_key_exists) {
  GateScene scene;
  scene.set({{"server.insecure", "true"}});
  const auto stranger = scene.gate.admit(kFar, {}).value();
  EXPECT_TRUE(stranger.may(Scope::inference));
  EXPECT_TRUE(stranger.may(Scope::read));
  EXPECT_FALSE(stranger.may(Scope::manage));
  const auto secret = scene.secret({.name = "laptop"});
  EXPECT_EQ(scene.refusal(kFar, {}), Code::unauthenticated);
}

TEST(Gate, makes_an_address_that_guesses_wait_longer_each_time) {
  GateScene scene;
  const auto secret = scene.secret({.name = "laptop"});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(scene.refusal(kFar, with(wrong(i))), Code::unauthenticated);
  const auto refused = scene.gate.admit(kFar, with(secret)).error();
  EXPECT_EQ(refused.code, Code::overloaded) << "even the right key has to wait";
  EXPECT_EQ(refused.retry_after, std::chrono::seconds(1));
  scene.clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(scene.refusal(kFar, with(wrong(99))), Code::unauthenticated);
  EXPECT_EQ(scene.gate.admit(kFar, with(wrong(98))).error().retry_after, std::chrono::seconds(2));
  EXPECT_EQ(scene.gate.admit({.address = "192.168.1.8"}, with(secret))->kind, CallerKind::key) << "others do not wait";
  scene.clock.advance(std::chrono::seconds(2));
  EXPECT_EQ(scene.gate.admit(kFar, with(secret))->kind, CallerKind::key);
  EXPECT_EQ(scene.refusal(kFar, with(wrong(97))), Code::unauthenticated) << "the right key forgives";
}

TEST(Gate, a_client_that_repeats_a_stale_key_does_not_guess) {
  GateScene scene;
  for (int i = 0; i < 50; ++i) EXPECT_EQ(scene.refusal(kFar, with(wrong(1))), Code::unauthenticated);
}

TEST(Gate, counts_a_network_of_ipv6_as_one) {
  GateScene scene;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(scene.refusal({.address = fmt::format("2001:db8::{}", i)}, with(wrong(i))), Code::unauthenticated);
  EXPECT_EQ(scene.refusal({.address = "2001:db8::99"}, with(wrong(99))), Code::overloaded);
  EXPECT_EQ(scene.refusal({.address = "2001:db8:1::1"}, with(wrong(99))), Code::unauthenticated);
}

}  // namespace
}  // namespace puna::access
