#include "client/launch.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <fstream>
#include <thread>

#include "client/address.h"
#include "os/file.h"
#include "os/file_lock.h"
#include "os/temporary_folder.h"

namespace puna::client {
namespace {

// A shell script in the daemon's place.
class Launch : public testing::Test {
 protected:
  void SetUp() override {
    const auto& root = folder_.path();
    options_ = {.program = root / "daemon",
                .environment = {{"PATH", "/usr/bin:/bin"}},
                .places = {.config_file = root / "config.toml", .data = root, .state = root, .cache = root, .runtime = root}};
  }

  Result<> launch(std::string_view script, std::stop_token stop = {}) {
    auto written = os::write_file_atomic(options_.program, fmt::format("#!/bin/sh\n{}\n", script), 0700);
    if (!written) return written;
    return ensure_daemon(options_, std::move(stop));
  }

  std::string path(std::string_view name) const { return (folder_.path() / name).string(); }

  // From now on the socket accepts connections.
  os::UniqueFd listen() const {
    os::UniqueFd descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strncpy(name.sun_path, options_.places.socket().c_str(), sizeof name.sun_path - 1);
    EXPECT_EQ(::bind(descriptor.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
    EXPECT_EQ(::listen(descriptor.get(), 8), 0);
    return descriptor;
  }

  os::TemporaryFolder folder_ = os::TemporaryFolder::create().value();
  LaunchOptions options_;
};

TEST_F(Launch, is_over_when_the_daemon_says_that_it_is_ready) {
  const auto launched = launch(fmt::format("echo \"$@\" > {}; echo ready >&3", path("arguments")));
  ASSERT_TRUE(launched) << launched.error().text();
  EXPECT_EQ(os::read_file(path("arguments"), kib(4)).value_or(""), "serve --on-demand --ready-fd 3\n");
}

TEST_F(Launch, starts_nothing_where_a_daemon_listens) {
  const auto listener = listen();
  ASSERT_TRUE(launch(fmt::format("touch {}", path("started"))));
  EXPECT_FALSE(std::filesystem::exists(path("started")));
}

TEST_F(Launch, fails_with_the_daemons_own_reason) {
  const auto launched = launch("echo 'error corrupt_data the database is damaged' >&3");
  ASSERT_FALSE(launched);
  EXPECT_EQ(launched.error().code, Code::corrupt_data);
  EXPECT_EQ(launched.error().text(), "cannot start a daemon: the database is damaged");
}

TEST_F(Launch, tells_how_a_daemon_ended_that_said_nothing) {
  const auto launched = launch("exit 7");
  ASSERT_FALSE(launched);
  EXPECT_EQ(launched.error().code, Code::unavailable);
  EXPECT_TRUE(launched.error().message.contains("exit code 7")) << launched.error().message;
}

TEST_F(Launch, waits_no_longer_than_its_deadline) {
  options_.deadline = Milliseconds(50);
  const auto launched = launch("exec sleep 600");
  ASSERT_FALSE(launched);
  EXPECT_EQ(launched.error().code, Code::deadline_exceeded);
}

TEST_F(Launch, stops_waiting_when_asked) {
  std::stop_source stop;
  stop.request_stop();
  const auto launched = launch("exec sleep 600", stop.get_token());
  ASSERT_FALSE(launched);
  EXPECT_EQ(launched.error().code, Code::cancelled);
}

TEST_F(Launch, the_loser_of_two_that_start_at_once_takes_the_winners_daemon) {
  const auto lock = os::FileLock::acquire(options_.places.lock());
  ASSERT_TRUE(lock) << lock.error().text();
  ASSERT_EQ(::mkfifo(path("loser").c_str(), 0600), 0);
  os::UniqueFd listener;
  std::jthread winner([&] {
    std::ifstream(path("loser")).get();  // returns once the other daemon runs
    listener = listen();
  });
  const auto launched = launch(fmt::format("echo > {}; echo 'error conflict puna.lock is held by puna' >&3", path("loser")));
  ASSERT_TRUE(launched) << launched.error().text();
}

TEST_F(Launch, a_conflict_over_something_else_is_reported_after_a_second_try) {
  const auto launched = launch(fmt::format("echo again >> {}; echo 'error conflict port 17862 is held by nginx' >&3", path("tries")));
  ASSERT_FALSE(launched);
  EXPECT_TRUE(launched.error().message.contains("held by nginx")) << launched.error().message;
  EXPECT_EQ(os::read_file(path("tries"), kib(4)).value_or(""), "again\nagain\n");
}

TEST(DaemonEnvironment, passes_on_what_a_daemon_needs_and_no_secret_of_the_shell) {
  const auto passed = daemon_environment({{"PATH", "/bin"},
                                          {"PUNA_PORT", "1"},
                                          {"PUNA_HOME", "relative"},
                                          {"https_proxy", "http://p:1"},
                                          {"CUDA_VISIBLE_DEVICES", "0"},
                                          {"AWS_SECRET_ACCESS_KEY", "x"}});
  EXPECT_FALSE(passed.contains("AWS_SECRET_ACCESS_KEY"));
  for (const auto* name : {"PATH", "PUNA_PORT", "https_proxy", "CUDA_VISIBLE_DEVICES"}) EXPECT_TRUE(passed.contains(name)) << name;
  EXPECT_TRUE(std::filesystem::path(passed.at("PUNA_HOME")).is_absolute());
}

}  // namespace
}  // namespace puna::client
