#include "base/event_bus.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace puna {
namespace {

// ledger: T13
TEST(EventBus, numbers_events_and_hands_out_those_after_a_number) {
  EventBus bus;
  bus.publish("a", {});
  bus.publish("b", {{"x", 1}});
  const auto batch = bus.since(1);
  ASSERT_EQ(batch.events.size(), 1u);
  EXPECT_EQ(batch.events[0]->type, "b");
  EXPECT_EQ(batch.events[0]->sequence, 2u);
  EXPECT_FALSE(batch.gap);
}

TEST(EventBus, tells_a_slow_reader_that_events_are_gone) {
  EventBus bus(4);
  for (int i = 0; i < 10; ++i) bus.publish("tick", {});
  const auto batch = bus.since(2);
  EXPECT_TRUE(batch.gap);
  ASSERT_EQ(batch.events.size(), 4u);
  EXPECT_EQ(batch.events.front()->sequence, 7u);
}

TEST(EventBus, tells_a_reader_of_an_earlier_daemon_to_read_anew) {
  EventBus bus;
  bus.publish("first", {});
  EXPECT_TRUE(bus.since(900).gap);
  EXPECT_FALSE(bus.since(1).gap);
}

// ledger: T6
TEST(EventBus, ten_thousand_subscriptions_leave_nothing_behind) {
  EventBus bus;
  for (int i = 0; i < 10'000; ++i) {
    auto subscription = bus.subscribe([] {});
    auto moved = std::move(subscription);
  }
  EXPECT_EQ(bus.subscribers(EventBus::Listener::part), 0u);
}

TEST(EventBus, tells_clients_from_parts_of_the_daemon) {
  EventBus bus;
  const auto own = bus.subscribe([] {});
  const auto of_a_client = bus.subscribe([] {}, EventBus::Listener::client);
  EXPECT_EQ(bus.subscribers(EventBus::Listener::client), 1u);
  EXPECT_EQ(bus.subscribers(EventBus::Listener::part), 1u);
}

// ledger: T15
TEST(EventBus, loses_nothing_among_threads_and_wakes_nobody_who_left) {
  EventBus bus(100'000);
  std::atomic<int> woken{0};
  {
    const auto subscription = bus.subscribe([&] { ++woken; });
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) bus.publish("tick", {});
      });
  }
  bus.publish("after", {});
  EXPECT_EQ(woken, 4000);
  EXPECT_EQ(bus.since(0, 100'000).events.size(), 4001u);
}

}  // namespace
}  // namespace puna
