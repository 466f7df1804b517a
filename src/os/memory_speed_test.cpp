#include "os/memory_speed.h"

#include <gtest/gtest.h>

#include <chrono>

namespace puna::os {
namespace {

TEST(MemorySpeed, is_a_figure_that_real_memory_has) {
  const auto speed = measure_memory_speed(Milliseconds(50), {});
  EXPECT_GE(speed.threads, 1U);
  EXPECT_GE(speed.buffer, mib(32));
  EXPECT_GT(speed.bytes_per_second, 50e6);
  EXPECT_LT(speed.bytes_per_second, 20e12);
}

TEST(MemorySpeed, a_stop_ends_the_measurement) {
  std::stop_source stop;
  stop.request_stop();
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(measure_memory_speed(Milliseconds(60'000), stop.get_token()).bytes_per_second, 0);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(30));
}

}  // namespace
}  // namespace puna::os
