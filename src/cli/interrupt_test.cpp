#include "cli/interrupt.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <condition_variable>
#include <csignal>

namespace puna::cli {
namespace {

// Whether a stop is requested within ten seconds.
bool comes(const std::stop_token& token) {
  std::mutex mutex;
  std::condition_variable changed;
  bool stopped = false;
  const std::stop_callback note(token, [&] {
    const std::lock_guard lock(mutex);
    stopped = true;
    changed.notify_all();
  });
  std::unique_lock lock(mutex);
  return changed.wait_for(lock, std::chrono::seconds(10), [&] { return stopped; });
}

bool is_readable(int descriptor) {
  pollfd watched{descriptor, POLLIN, 0};
  return ::poll(&watched, 1, 0) == 1;
}

TEST(Interrupt, a_signal_requests_a_stop_and_can_be_forgotten) {
  const auto interrupt = Interrupt::install();
  ASSERT_TRUE(interrupt) << interrupt.error().text();
  EXPECT_FALSE((*interrupt)->requested());
  const auto token = (*interrupt)->token();
  ASSERT_EQ(::kill(::getpid(), SIGINT), 0);
  EXPECT_TRUE(comes(token));
  EXPECT_TRUE(is_readable((*interrupt)->descriptor()));
  (*interrupt)->rearm();
  EXPECT_FALSE((*interrupt)->requested());
  EXPECT_FALSE(is_readable((*interrupt)->descriptor()));
}

TEST(Interrupt, a_signal_that_reaches_a_thread_from_before_ends_nothing) {
  std::stop_source leave;
  std::jthread earlier([token = leave.get_token()] { comes(token); });
  const auto interrupt = Interrupt::install();
  ASSERT_TRUE(interrupt) << interrupt.error().text();
  const auto token = (*interrupt)->token();
  ASSERT_EQ(::pthread_kill(earlier.native_handle(), SIGINT), 0);
  EXPECT_TRUE(comes(token));
  leave.request_stop();
}

TEST(Interrupt, the_wish_to_terminate_is_not_forgotten) {
  const auto interrupt = Interrupt::install();
  ASSERT_TRUE(interrupt) << interrupt.error().text();
  const auto token = (*interrupt)->token();
  ASSERT_EQ(::kill(::getpid(), SIGTERM), 0);
  EXPECT_TRUE(comes(token));
  (*interrupt)->rearm();
  EXPECT_TRUE((*interrupt)->requested());
}

}  // namespace
}  // namespace puna::cli
