#include "daemon/idle_exit.h"

#include <gtest/gtest.h>

namespace puna::daemon {
namespace {

using namespace std::chrono_literals;

struct Scene {
  net::Io io{1};
  bool busy = false;
  bool left = false;
  Milliseconds limit = 20ms;
  IdleExit idle{io,
                {.busy = [this] { return busy; },
                 .limit = [this] { return limit; },
                 .leave =
                     [this] {
                       left = true;
                       io.stop();
                     }}};

  // Runs until the daemon leaves, or until a guard much later than the limit.
  void run() {
    net::asio::steady_timer guard(io.context(), 300ms);
    guard.async_wait([this](const auto&) { io.stop(); });
    io.run();
  }
};

TEST(IdleExit, leaves_when_nothing_goes_on_for_the_limit) {
  Scene scene;
  scene.idle.changed();
  scene.run();
  EXPECT_TRUE(scene.left);
}

TEST(IdleExit, stays_while_something_goes_on) {
  Scene scene;
  scene.idle.changed();
  scene.busy = true;
  scene.idle.changed();
  scene.run();
  EXPECT_FALSE(scene.left);
}

TEST(IdleExit, never_leaves_when_the_setting_says_so) {
  Scene scene;
  scene.limit = kForever;
  scene.idle.changed();
  scene.run();
  EXPECT_FALSE(scene.left);
}

}  // namespace
}  // namespace puna::daemon
