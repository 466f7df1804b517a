#include "access/usage.h"

#include <gtest/gtest.h>

#include "access/access_testing.h"

namespace puna::access {
namespace {

using wire::BudgetPeriod;

struct UsageScene : Scene {
  UsageBook book{io, database, clock};
  Result<> flush(Milliseconds keep = kForever) { return net::run_blocking(io, book.flush(keep)); }
};

ModelUse use(std::string client, std::int64_t in, std::int64_t out) {
  return {.client = std::move(client),
          .model = "m:latest",
          .tokens_in = in,
          .tokens_cached = in / 2,
          .tokens_out = out,
          .first_token = Milliseconds(10),
          .duration = Milliseconds(100)};
}

TEST(Usage, is_summed_by_day_client_and_model) {
  UsageScene scene;
  scene.book.record(use("key_a", 10, 5));
  scene.book.record(use("key_a", 20, 7));
  ASSERT_TRUE(scene.flush());
  scene.book.record({.client = "key_a", .model = "m:latest", .failed = true});
  scene.book.record(use("key_b", 1, 1));
  ASSERT_TRUE(scene.flush());
  const auto rows = scene.book.rows({}).value();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].client, "key_a");
  EXPECT_EQ(rows[0].requests, 3);
  EXPECT_EQ(rows[0].failures, 1);
  EXPECT_EQ(rows[0].tokens_in, 30);
  EXPECT_EQ(rows[0].tokens_cached, 15);
  EXPECT_EQ(rows[0].tokens_out, 12);
  EXPECT_EQ(rows[0].duration_ms, 200);
  EXPECT_EQ(scene.book.rows({.client = "key_b"})->size(), 1U);
  EXPECT_TRUE(scene.book.rows({.model = "other"})->empty());
}

TEST(Usage, of_a_budget_begins_anew_with_its_period) {
  UsageScene scene;
  scene.book.record(use("key_a", 10, 5));
  EXPECT_EQ(scene.book.spent("key_a", BudgetPeriod::day).tokens, 15);
  EXPECT_EQ(scene.book.spent("key_a", BudgetPeriod::day).requests, 1);
  scene.clock.advance(std::chrono::hours(24));
  EXPECT_EQ(scene.book.spent("key_a", BudgetPeriod::day).tokens, 0);
  scene.clock.advance(std::chrono::hours(24 * 31));
  EXPECT_EQ(scene.book.spent("key_a", BudgetPeriod::month).tokens, 0);
}

TEST(Usage, of_a_budget_survives_a_restart_and_failures_do_not_count) {
  UsageScene scene;
  scene.book.record(use("key_a", 10, 5));
  scene.book.record({.client = "key_a", .failed = true});
  ASSERT_TRUE(scene.flush());
  UsageBook again(scene.io, scene.database, scene.clock);
  ASSERT_TRUE(again.load());
  for (const auto period : {BudgetPeriod::day, BudgetPeriod::month}) {
    EXPECT_EQ(again.spent("key_a", period).tokens, 15);
    EXPECT_EQ(again.spent("key_a", period).requests, 1);
  }
}

TEST(Usage, of_old_days_is_forgotten) {
  UsageScene scene;
  scene.book.record(use("key_a", 10, 5));
  ASSERT_TRUE(scene.flush());
  scene.clock.advance(std::chrono::hours(24 * 40));
  scene.book.record(use("key_a", 1, 1));
  ASSERT_TRUE(scene.flush(std::chrono::hours(24 * 30)));
  const auto rows = scene.book.rows({}).value();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].tokens_in, 1);
}

TEST(Usage, knows_the_calendar) {
  const auto time = parse_time("2028-02-29T23:59:59.000Z").value();
  EXPECT_EQ(period_of(BudgetPeriod::day, time), "2028-02-29");
  EXPECT_EQ(period_of(BudgetPeriod::month, time), "2028-02");
  EXPECT_EQ(format_time(end_of(BudgetPeriod::day, time)), "2028-03-01T00:00:00.000Z");
  EXPECT_EQ(format_time(end_of(BudgetPeriod::month, parse_time("2027-12-05T00:00:00.000Z").value())), "2028-01-01T00:00:00.000Z");
}

}  // namespace
}  // namespace puna::access
