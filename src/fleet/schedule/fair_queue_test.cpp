#include "fleet/schedule/fair_queue.h"

#include <gmock/gmock.h>

#include "fleet/schedule/scheduler_testing.h"

namespace puna::fleet::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Milliseconds kSecond{1'000};

// A flood: so many requests of one client.
std::vector<RequestId> flood(Desk& desk, int count, const AskOptions& options) {
  std::vector<RequestId> out;
  for (int i = 0; i < count; ++i) out.push_back(desk.ask("a", options));
  return out;
}

TEST(FairQueue, serves_a_client_first_come_first_served) {
  Desk desk;
  std::vector<RequestId> asked = {desk.ask_and_load("a", 1)};
  for (int i = 0; i < 5; ++i) asked.push_back(desk.ask("a"));
  for (int i = 0; i < 5; ++i) desk.release(desk.order.back());
  EXPECT_EQ(desk.order, asked);
}

TEST(FairQueue, gives_all_slots_to_who_is_alone) {
  Desk desk;
  desk.ask_and_load("a", 4);
  flood(desk, 3, {});
  EXPECT_EQ(desk.order.size(), 4U);
}

TEST(FairQueue, gives_the_next_slot_to_who_had_least) {
  Desk desk;
  desk.ask_and_load("a", 1, {.client = "flood"});
  flood(desk, 50, {.client = "flood"});
  const auto other = desk.ask("a", {.client = "other"});
  desk.pass(kSecond);
  desk.release(desk.order.back());
  EXPECT_EQ(desk.order.back(), other);
}

TEST(FairQueue, keeps_the_share_of_a_client_that_is_about_to_ask_again) {
  Desk desk;
  desk.release(desk.ask_and_load("a", 4, {.client = "person"}));
  flood(desk, 50, {.client = "flood"});
  EXPECT_EQ(desk.order.size(), 3U);  // the person's, and two of the flood
  const auto next = desk.ask("a", {.client = "person"});
  EXPECT_TRUE(desk.is_granted(next));
}

TEST(FairQueue, gives_the_share_away_when_its_client_does_not_come_back) {
  Desk desk;
  desk.release(desk.ask_and_load("a", 4, {.client = "person"}));
  flood(desk, 50, {.client = "flood"});
  ASSERT_EQ(desk.scheduler.next_event(desk.now), desk.now + FairQueue::kPresence);
  desk.pass(FairQueue::kPresence);
  EXPECT_EQ(desk.order.size(), 5U);
}

TEST(FairQueue, keeps_no_more_than_one_share_for_many_who_rest) {
  Desk desk;
  desk.release(desk.ask_and_load("a", 4, {.client = "1"}));
  for (const std::string name : {"2", "3", "4", "5"}) desk.release(desk.ask("a", {.client = name}));
  flood(desk, 50, {.client = "flood"});
  EXPECT_EQ(desk.order.size(), 5U + 2U);
}

TEST(FairQueue, divides_time_by_weight) {
  Desk desk;
  desk.ask_and_load("a", 1, {.client = "first"});
  auto heavy = flood(desk, 60, {.client = "heavy", .weight = 3});
  flood(desk, 60, {.client = "light", .weight = 1});
  for (int i = 0; i < 40; ++i) {
    desk.pass(kSecond);
    desk.release(desk.order.back());
  }
  const auto got = std::ranges::count_if(heavy, [&](RequestId id) { return desk.is_granted(id); });
  EXPECT_NEAR(static_cast<double>(got), 30, 2);
}

TEST(FairQueue, counts_time_not_requests) {
  Desk desk;
  desk.ask_and_load("a", 1, {.client = "first"});
  const auto slow = flood(desk, 50, {.client = "slow"});
  flood(desk, 50, {.client = "quick"});
  double slow_time = 0, quick_time = 0;
  for (int i = 0; i < 46; ++i) {
    const bool is_slow = std::ranges::find(slow, desk.order.back()) != slow.end();
    (is_slow ? slow_time : quick_time) += is_slow ? 8 : 1;
    desk.pass((is_slow ? 8 : 1) * kSecond);
    desk.release(desk.order.back());
  }
  EXPECT_NEAR(slow_time / quick_time, 1, 0.3);
}

TEST(FairQueue, saves_nothing_up_for_who_was_away) {
  Desk desk;
  desk.ask_and_load("a", 1, {.client = "steady"});
  flood(desk, 100, {.client = "steady"});
  for (int i = 0; i < 20; ++i) {
    desk.pass(kSecond);
    desk.release(desk.order.back());
  }
  const auto late = flood(desk, 20, {.client = "late"});
  for (int i = 0; i < 10; ++i) {
    desk.pass(kSecond);
    desk.release(desk.order.back());
  }
  const auto got = std::ranges::count_if(late, [&](RequestId id) { return desk.is_granted(id); });
  EXPECT_NEAR(static_cast<double>(got), 5, 1);
}

TEST(FairQueue, prefers_the_more_urgent) {
  Desk desk;
  desk.ask_and_load("a", 1);
  const auto low = desk.ask("a", {.priority = Priority::low});
  const auto normal = desk.ask("a", {.priority = Priority::normal});
  const auto high = desk.ask("a", {.client = "other", .priority = Priority::high});
  for (int i = 0; i < 3; ++i) desk.release(desk.order.back());
  EXPECT_THAT(std::vector(desk.order.begin() + 1, desk.order.end()), ElementsAre(high, normal, low));
}

TEST(FairQueue, raises_what_has_waited_long) {
  Desk desk;
  desk.ask_and_load("a", 1);
  const auto low = desk.ask("a", {.client = "batch", .priority = Priority::low});
  desk.pass(2 * FairQueue::kAging);
  desk.ask("a", {.priority = Priority::normal});
  desk.release(desk.order.back());
  EXPECT_EQ(desk.order.back(), low);
}

TEST(FairQueue, stages_nothing_of_a_flood_that_another_client_would_wait_for) {
  Desk desk;
  desk.release(desk.ask_and_load("a", 1, {.client = "person"}));
  flood(desk, 50, stageable("flood"));
  EXPECT_THAT(desk.staged, IsEmpty());
  desk.pass(FairQueue::kPresence);
  EXPECT_EQ(desk.staged.size(), 1U);  // who is alone has everything
}

TEST(FairQueue, delays_nobody_by_more_than_one_staged_request_of_a_flood) {
  Desk desk;
  flood(desk, 50, stageable("flood"));
  desk.loaded("a", 1);
  const auto person = desk.ask("a", stageable("person"));
  desk.release(desk.order.back());
  EXPECT_THAT(desk.staged, ElementsAre(desk.order.back(), person));
  desk.release(desk.order.back());
  EXPECT_TRUE(desk.is_granted(person));
}

TEST(FairQueue, stages_no_request_of_low_priority_because_a_more_urgent_one_may_come) {
  Desk desk;
  desk.ask_and_load("a", 1, stageable());
  const auto low = desk.ask("a", stageable("batch", Priority::low));
  EXPECT_THAT(desk.staged, IsEmpty());
  const auto high = desk.ask("a", stageable("person", Priority::high));
  EXPECT_THAT(desk.staged, ElementsAre(high));
  for (int i = 0; i < 2; ++i) desk.release(desk.order.back());
  EXPECT_EQ(desk.order.back(), low);
}

TEST(FairQueue, charges_a_staged_request_for_its_slot_alone) {
  Desk desk;
  desk.ask_and_load("a", 1, stageable("first"));
  const auto staged = desk.ask("a", stageable("patient"));
  desk.pass(60 * kSecond);
  desk.release(desk.order.back());
  desk.pass(kSecond);
  desk.release(staged);
  const auto third = desk.ask("a", {.client = "third"});
  desk.ask("a", {.client = "first"});
  const auto frugal = desk.ask("a", {.client = "patient"});
  EXPECT_EQ(desk.scheduler.places(key("a"), desk.now)[0].expected_wait, Milliseconds(48'200));  // of 60 s and 1 s, not of 61 s
  desk.release(third);
  EXPECT_EQ(desk.order.back(), frugal);
}

}  // namespace
}  // namespace puna::fleet::testing
