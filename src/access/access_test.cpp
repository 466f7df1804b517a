#include "access/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/access_testing.h"
#include "os/temporary_folder.h"

namespace puna::access {
namespace {

using testing::HasSubstr;

struct AccessScene : Scene {
  os::TemporaryFolder folder = std::move(os::TemporaryFolder::create()).value();
  Access access{{.io = io, .database = database, .settings = settings(), .clock = clock, .request_log = folder.path() / "requests.log"}};

  Caller caller(wire::KeyRequest request) {
    const auto made = net::run_blocking(io, access.keys().create(std::move(request))).value();
    return access.keys().identify(made.secret).value();
  }
  ModelUse use(const Caller& by, std::int64_t tokens) { return {.client = by.id, .model = "m:latest", .tokens_in = tokens}; }
};

TEST(Access, ends_a_key_at_its_budget_until_the_next_period) {
  AccessScene scene;
  const auto guest = scene.caller({.name = "guest", .budget = wire::Budget{.tokens = 100, .period = wire::BudgetPeriod::day}});
  EXPECT_TRUE(scene.access.begin(guest));
  scene.access.used(scene.use(guest, 100));
  const auto refused = scene.access.begin(guest);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::overloaded);
  EXPECT_THAT(refused.error().message, HasSubstr("the budget of the key 'guest' is spent"));
  ASSERT_TRUE(refused.error().retry_after);
  scene.clock.advance(*refused.error().retry_after);
  EXPECT_TRUE(scene.access.begin(guest));
}

TEST(Access, counts_requests_under_way_against_a_budget) {
  AccessScene scene;
  const auto guest = scene.caller({.name = "guest", .budget = wire::Budget{.requests = 2}});
  auto first = scene.access.begin(guest);
  {
    const auto second = scene.access.begin(guest);
    EXPECT_TRUE(second);
    EXPECT_FALSE(scene.access.begin(guest)) << "two are under way";
  }
  EXPECT_TRUE(scene.access.begin(guest)) << "one ended without using a model";
  scene.access.used(scene.use(guest, 1));
  EXPECT_FALSE(scene.access.begin(guest)) << "one was answered, one is under way";
}

TEST(Access, limits_strangers_and_keys_but_no_program_of_this_machine) {
  AccessScene scene;
  scene.set({{"access.requests_per_minute", "1"}});
  const auto local = caller_without_key({.unix_socket = true});
  const auto near = caller_without_key({.address = "127.0.0.1"});
  const auto far = caller_without_key({.address = "192.168.1.7"});
  const auto generous = scene.caller({.name = "laptop", .requests_per_minute = 0});
  for (const auto* free : {&local, &near, &generous})
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(scene.access.begin(*free)) << free->id;
  EXPECT_TRUE(scene.access.begin(far));
  EXPECT_FALSE(scene.access.begin(far));
}

TEST(Access, holds_a_key_to_its_models) {
  AccessScene scene;
  const auto guest = scene.caller({.name = "guest", .models = {{"qwen", "me/*"}}});
  EXPECT_TRUE(scene.access.may_use(guest.id, "qwen", "owner/qwen:7b")) << "as it was asked for";
  EXPECT_TRUE(scene.access.may_use(guest.id, "q", "qwen:latest"));
  EXPECT_TRUE(scene.access.may_use(guest.id, "x", "Me/notes:latest"));
  EXPECT_EQ(scene.access.may_use(guest.id, "llama", "llama:latest").error().code, Code::permission_denied);
  EXPECT_TRUE(scene.access.may_use("local", "llama", "llama:latest"));
}

TEST(Access, work_that_goes_on_without_its_caller_ends_with_the_key) {
  AccessScene scene;
  const auto guest = scene.caller({.name = "guest"});
  EXPECT_TRUE(scene.access.may_use(guest.id, "m", "m:latest"));
  ASSERT_TRUE(net::run_blocking(scene.io, scene.access.keys().revoke("guest")));
  EXPECT_EQ(scene.access.may_use(guest.id, "m", "m:latest").error().code, Code::unauthenticated);
}

TEST(Access, reports_usage_until_now_under_names) {
  AccessScene scene;
  const auto guest = scene.caller({.name = "guest"});
  scene.access.used(scene.use(guest, 7));
  const auto rows = net::run_blocking(scene.io, scene.access.usage({})).value();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].name, "guest");
  EXPECT_EQ(rows[0].tokens_in, 7);
}

}  // namespace
}  // namespace puna::access
