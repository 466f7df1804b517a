#include "access/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/access_testing.h"
#include "access/key_text.h"

namespace puna::access {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

TEST(KeyText, is_256_random_bits_in_letters_and_digits) {
  const auto a = new_key_text(), b = new_key_text();
  EXPECT_THAT(std::string(a->reveal()), MatchesRegex("puna_[0-9A-Za-z]{43}"));
  EXPECT_NE(a->reveal(), b->reveal());
}

TEST(KeyText, comes_in_either_header_and_ours_is_preferred_to_a_filler) {
  EXPECT_EQ(presented_key({{"authorization", "bearer puna_a"}})->reveal(), "puna_a");
  EXPECT_EQ(presented_key({{"X-Api-Key", " puna_b "}})->reveal(), "puna_b");
  EXPECT_EQ(presented_key({{"Authorization", "Bearer none"}, {"x-api-key", "puna_c"}})->reveal(), "puna_c");
  EXPECT_EQ(presented_key({{"Authorization", "Bearer ollama"}})->reveal(), "ollama");
  EXPECT_FALSE(presented_key({{"Authorization", "Bearer "}}));
}

// ledger: M6
TEST(Keys, are_told_once_and_stored_as_a_hash) {
  Scene scene;
  const auto made = scene.create({.name = "laptop"}).value();
  EXPECT_TRUE(made.secret.starts_with(made.key.prefix));
  const auto row = scene.keys.table().load().value().at(0);
  EXPECT_THAT(row.name + row.prefix + row.sha256 + json::to_text(row.terms), Not(HasSubstr(made.secret)));
  EXPECT_THAT(json::to_text(json::encode(scene.keys.list())), Not(HasSubstr(made.secret)));
  EXPECT_EQ(scene.keys.identify(made.secret)->id, made.key.id);
}

TEST(Keys, allow_inference_unless_told_otherwise) {
  Scene scene;
  const auto caller = scene.keys.identify(scene.secret({.name = "laptop"})).value();
  EXPECT_TRUE(caller.may(wire::Scope::inference));
  EXPECT_FALSE(caller.may(wire::Scope::read));
  EXPECT_EQ(caller.kind, CallerKind::key);
}

TEST(Keys, survive_a_restart_and_their_use_too) {
  Scene scene;
  const auto secret = scene.secret({.name = "laptop", .weight = 3, .priority = wire::Priority::low});
  scene.keys.note_use(scene.keys.find("laptop")->id);
  ASSERT_TRUE(scene.keys.table().note_uses(scene.keys.take_uses()));
  EXPECT_TRUE(scene.keys.take_uses().empty()) << "written once";
  Keys again(scene.io, scene.database, scene.clock);
  ASSERT_TRUE(again.load());
  EXPECT_EQ(again.identify(secret)->weight, 3);
  EXPECT_EQ(again.identify(secret)->priority, wire::Priority::low);
  EXPECT_TRUE(again.find("laptop")->last_used_at);
}

// ledger: M6
TEST(Keys, expire) {
  Scene scene;
  const auto secret = scene.secret({.name = "guest", .expires_in = "1h"});
  EXPECT_TRUE(scene.keys.identify(secret));
  scene.clock.advance(std::chrono::hours(1));
  EXPECT_EQ(scene.keys.identify(secret).error().code, Code::unauthenticated);
  EXPECT_EQ(scene.keys.find("guest")->state, wire::KeyState::expired);
  EXPECT_FALSE(scene.keys.any_active());
}

// ledger: M6
TEST(Keys, are_refused_from_the_moment_they_are_revoked) {
  Scene scene;
  const auto secret = scene.secret({.name = "lost"});
  const auto seen = scene.keys.revocations().epoch();
  ASSERT_TRUE(scene.revoke("lost"));
  EXPECT_NE(scene.keys.revocations().epoch(), seen) << "running requests are told";
  EXPECT_FALSE(scene.keys.identify(secret));
  EXPECT_TRUE(scene.revoke("lost")) << "twice is fine";
  Keys again(scene.io, scene.database, scene.clock);
  ASSERT_TRUE(again.load());
  EXPECT_FALSE(again.identify(secret));
}

TEST(Keys, have_names_of_which_one_is_active) {
  Scene scene;
  const auto first = scene.create({.name = "laptop"}).value();
  EXPECT_EQ(scene.create({.name = "Laptop"}).error().code, Code::already_exists);
  ASSERT_TRUE(scene.revoke("laptop"));
  const auto second = scene.create({.name = "laptop"}).value();
  EXPECT_EQ(scene.keys.find("laptop")->id, second.key.id);
  EXPECT_EQ(scene.keys.find(first.key.id)->state, wire::KeyState::revoked);
  EXPECT_EQ(scene.keys.find("desktop").error().code, Code::not_found);
}

net::Task<std::size_t> count_made(net::Io& io, Keys& keys, std::string name, int times) {
  std::size_t made = 0;
  std::vector<net::Spawned> requests;
  for (int i = 0; i < times; ++i)
    requests.push_back(net::spawn(io, "create", [](Keys& all, std::string wanted, std::size_t& count) -> net::Task<void> {
      const auto key = co_await all.create({.name = std::move(wanted)});
      if (key) ++count;
    }(keys, name, made)));
  for (auto& request : requests) co_await request.join();
  co_return made;
}

TEST(Keys, get_their_name_once_when_two_ask_for_it_at_the_same_time) {
  Scene scene;
  EXPECT_EQ(net::run_blocking(scene.io, count_made(scene.io, scene.keys, "laptop", 3)), 1);
  EXPECT_EQ(scene.keys.list().size(), 1);
}

TEST(Keys, of_bad_terms_are_refused_by_the_member) {
  Scene scene;
  const auto refused = [&](wire::KeyRequest request) { return scene.create(std::move(request)).error().message; };
  EXPECT_THAT(refused({.name = ""}), HasSubstr("name"));
  EXPECT_THAT(refused({.name = "a\x1b[1m"}), HasSubstr("name"));
  EXPECT_THAT(refused({.name = "a", .scopes = {{}}}), HasSubstr("scopes"));
  EXPECT_THAT(refused({.name = "a", .expires_in = "soon"}), HasSubstr("expires_in"));
  EXPECT_THAT(refused({.name = "a", .expires_in = "0"}), HasSubstr("expires_in"));
  EXPECT_THAT(refused({.name = "a", .weight = 0}), HasSubstr("weight"));
  EXPECT_THAT(refused({.name = "a", .requests_per_minute = -1}), HasSubstr("requests_per_minute"));
  EXPECT_THAT(refused({.name = "a", .budget = wire::Budget{}}), HasSubstr("budget"));
  EXPECT_TRUE(scene.keys.list().empty());
}

TEST(Keys, that_are_wrong_say_nothing_about_those_there_are) {
  Scene scene;
  const auto secret = scene.secret({.name = "laptop"});
  const auto unknown = scene.keys.identify("puna_" + std::string(43, 'x')).error();
  ASSERT_TRUE(scene.revoke("laptop"));
  EXPECT_EQ(scene.keys.identify(secret).error().message, unknown.message);
}

}  // namespace
}  // namespace puna::access
