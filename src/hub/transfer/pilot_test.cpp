#include "hub/transfer/pilot.h"

#include <gtest/gtest.h>

#include <functional>

namespace puna::hub::transfer {
namespace {

constexpr Milliseconds kTick{50};

// A network in which `connections` connections bring `rate` bytes a second together.
struct Flight {
  std::function<double(int connections)> rate;
  MonotonicTime now{};
  Pilot pilot;
  double bytes = 0;

  explicit Flight(std::function<double(int)> network, int most = 32) : rate(std::move(network)), pilot(most, now) {}
  int after(Milliseconds duration, bool saturated = true) {
    for (Milliseconds passed{0}; passed < duration; passed += kTick) {
      now += kTick;
      const double came = rate(pilot.target()) * 0.05;
      bytes += came;
      pilot.count(static_cast<std::uint64_t>(came), saturated, Milliseconds(20), now);
    }
    return pilot.target();
  }
};

double each_brings_20(int connections) {
  return 20e6 * connections;
}

TEST(Pilot, reaches_the_cap_within_a_second_when_every_connection_pays) {
  Flight flight(each_brings_20, 16);
  EXPECT_LE(flight.pilot.target(), 4);
  EXPECT_EQ(flight.after(Milliseconds(1000)), 16);
  EXPECT_EQ(flight.after(std::chrono::minutes(5)), 16);
}

TEST(Pilot, stays_with_few_where_one_connection_fills_the_line) {
  Flight flight([](int) { return 50e6; });
  EXPECT_LE(flight.after(std::chrono::minutes(1)), 4);
  EXPECT_GE(flight.after(std::chrono::minutes(20)), 1);
}

TEST(Pilot, settles_near_what_fills_the_line) {
  Flight flight([](int n) { return std::min(20e6 * n, 200e6); });
  EXPECT_GE(flight.after(Milliseconds(5000)), 8);
  EXPECT_LE(flight.after(std::chrono::seconds(40)), 20);
  for (int i = 0; i < 60; ++i) {
    const int target = flight.after(Milliseconds(2000));
    EXPECT_GE(target, 8);
    EXPECT_LE(target, 20);
  }
}

TEST(Pilot, more_connections_that_make_the_whole_slower_are_taken_back) {
  Flight flight([](int n) { return n <= 8 ? 40e6 * n : 30e6; });
  EXPECT_EQ(flight.after(Milliseconds(3000)), 8);
  const double before = flight.bytes;
  flight.after(std::chrono::minutes(2));
  EXPECT_GT(flight.bytes - before, 0.9 * 320e6 * 120);
}

TEST(Pilot, a_refusal_halves_for_a_minute) {
  Flight flight(each_brings_20, 16);
  flight.after(Milliseconds(3000));
  flight.pilot.refused(flight.now);
  EXPECT_EQ(flight.pilot.target(), 8);
  flight.pilot.refused(flight.now);  // of a request sent before
  EXPECT_EQ(flight.after(std::chrono::seconds(50)), 8);
  EXPECT_EQ(flight.after(std::chrono::minutes(2)), 16);
}

TEST(Pilot, learns_nothing_while_something_else_holds_the_bytes_back) {
  Flight flight(each_brings_20);
  EXPECT_EQ(flight.after(std::chrono::minutes(1), false), 4);
}

TEST(Pilot, climbs_again_on_another_network) {
  double each = 1e6;
  double line = 4e6;
  Flight flight([&](int n) { return std::min(each * n, line); });
  EXPECT_LE(flight.after(std::chrono::seconds(20)), 8);
  each = line = 0.1e6;
  flight.after(std::chrono::seconds(20));
  each = 20e6;
  line = 1e9;
  EXPECT_GE(flight.after(std::chrono::minutes(2)), 16);
}

TEST(Pilot, obeys_a_lower_cap_at_once) {
  Flight flight(each_brings_20);
  flight.after(Milliseconds(5000));
  flight.pilot.set_most(2);
  EXPECT_EQ(flight.pilot.target(), 2);
}

}  // namespace
}  // namespace puna::hub::transfer
