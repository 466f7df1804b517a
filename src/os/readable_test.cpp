#include "os/readable.h"

#include <gtest/gtest.h>

#include <thread>

namespace puna::os {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::minutes kLong{1};

TEST(WaitReadable, ends_when_something_was_written_and_when_the_other_side_is_gone) {
  const std::stop_source source;
  const StopDescriptor stop(source.get_token());
  auto pipe = make_pipe().value();
  ASSERT_TRUE(write_all(pipe.write.get(), "x"));
  EXPECT_EQ(wait_readable(pipe.read.get(), stop, Clock::now() + kLong), Wake::readable);
  auto other = make_pipe().value();
  other.write.reset();
  EXPECT_EQ(wait_readable(other.read.get(), stop, Clock::now() + kLong), Wake::readable);
}

TEST(WaitReadable, is_told_of_a_stop_while_it_waits) {
  std::stop_source source;
  const StopDescriptor stop(source.get_token());
  const auto pipe = make_pipe().value();
  auto woken = Wake::late;
  std::jthread waiter([&] { woken = wait_readable(pipe.read.get(), stop, Clock::now() + kLong); });
  source.request_stop();
  waiter.join();
  EXPECT_EQ(woken, Wake::stopped);
}

TEST(WaitReadable, ends_at_its_deadline) {
  const std::stop_source source;
  const StopDescriptor stop(source.get_token());
  const auto pipe = make_pipe().value();
  const auto until = Clock::now() + std::chrono::milliseconds(5);
  EXPECT_EQ(wait_readable(pipe.read.get(), stop, until), Wake::late);
  EXPECT_GE(Clock::now(), until);
  EXPECT_EQ(wait_readable(-1, stop, Clock::now()), Wake::late);
}

}  // namespace
}  // namespace puna::os
