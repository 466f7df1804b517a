#include "fleet/fleet.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include "base/log.h"
#include "fleet/fleet_testing.h"
#include "os/file.h"

namespace puna::fleet::testing {
namespace {

using enum wire::WorkerState;
using ::testing::ElementsAre;

using FleetLoads = FleetTest;

TEST_F(FleetLoads, a_model_on_demand) {
  script("m", "");
  options_.context_length = 777;
  options_.slots = 3;
  const auto lease = acquire("m");
  ASSERT_TRUE(lease) << lease.error().text();
  EXPECT_EQ(lease->model(), "m");
  EXPECT_EQ(lease->context_length(), 777);
  const auto answer = chat(*lease);
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(answer->status, 200);
  EXPECT_THAT(told_states("m"), ElementsAre(loading, ready));
}

TEST_F(FleetLoads, once_for_all_who_wait) {
  script("m", gate("load") + "\nready");
  std::array<Outcome<Lease>, 3> leases;
  std::vector<net::Spawned> waiters;
  for (auto& lease : leases) waiters.push_back(begin(fleet_->acquire("m"), lease));
  open_gate("load");
  until([&] { return leases[0].known && leases[1].known && leases[2].known; });
  for (const auto& lease : leases) EXPECT_EQ(lease.result->socket(), leases[0].result->socket());
  EXPECT_EQ(look("m").active_requests, 3);
  EXPECT_EQ(fleet_->running(), 1U);
}

TEST_F(FleetLoads, on_when_one_of_the_waiters_goes_away) {
  script("m", gate("load") + "\nready");
  Outcome<Lease> leaving, staying;
  auto first = begin(fleet_->acquire("m"), leaving);
  const auto second = begin(fleet_->acquire("m"), staying);
  until_state("m", loading);
  first.cancel();
  open_gate("load");
  until([&] { return leaving.known && staying.known; });
  EXPECT_EQ(leaving.result.error().code, Code::cancelled);
  EXPECT_TRUE(staying.result);
}

TEST_F(FleetLoads, on_when_nobody_waits_any_more) {
  script("m", gate("load") + "\nready");
  Outcome<Lease> leaving;
  auto waiter = begin(fleet_->acquire("m"), leaving);
  until_state("m", loading);
  waiter.cancel();
  open_gate("load");
  until_state("m", ready);
  EXPECT_TRUE(look("m").expires_at);
}

TEST_F(FleetLoads, one_worker_for_each_purpose) {
  script("m", "");
  const auto generating = acquire("m");
  const auto embedding = acquire("m", {.purpose = Purpose::embed});
  ASSERT_TRUE(generating && embedding);
  EXPECT_NE(generating->socket(), embedding->socket());
  EXPECT_EQ(fleet_->running(), 2U);
}

TEST_F(FleetLoads, the_new_file_when_a_name_changes_its_meaning) {
  script("old", "");
  script("new", "");
  files_["m"] = folder() / "models" / "old";
  const auto before = acquire("m").value().socket();
  files_["m"] = folder() / "models" / "new";
  const auto after = acquire("m");
  ASSERT_TRUE(after) << after.error().text();
  EXPECT_NE(after->socket(), before);
  EXPECT_EQ(fleet_->running(), 1U);
}

// ledger: M9
TEST_F(FleetLoads, with_progress_that_is_published) {
  script("m", "progress 0.25\nprogress 0.2\nprogress 0.75\nready");
  ASSERT_TRUE(acquire("m"));
  EXPECT_THAT(told_progress("m"), ElementsAre(0.25, 0.75));
}

TEST_F(FleetLoads, and_tells_what_runs) {
  script("m", "");
  const auto lease = acquire("m");
  const auto running = look("m");
  EXPECT_TRUE(running.pid);
  EXPECT_EQ(running.state, busy);
  EXPECT_EQ(running.active_requests, 1);
  EXPECT_GT(running.memory_bytes.value_or(0), 0);
  EXPECT_EQ(running.slots, options_.slots);
  EXPECT_FALSE(running.expires_at);
}

// ledger: T4
TEST_F(FleetLoads, and_logs_each_change_of_state_with_its_cause) {
  ASSERT_TRUE(log::open({.file = folder() / "puna.log"}));
  script("m", "");
  ASSERT_TRUE(acquire("m"));
  ASSERT_TRUE(run(fleet_->unload("m")));
  const auto text = os::read_file(folder() / "puna.log", mib(1)).value_or("");
  for (const std::string_view change :
       {R"("from":"starting","to":"loading","cause":"process started")", R"("from":"loading","to":"ready","cause":"model loaded")",
        R"("from":"ready","to":"stopping","cause":"unload requested")", R"("from":"stopping","to":"stopped","cause":"process ended")"})
    EXPECT_NE(text.find(change), std::string::npos) << change << "\n" << text;
}

// ledger: M7
TEST_F(FleetLoads, no_model_whose_name_could_be_read_as_something_else) {
  for (const std::string name : {"--socket", "a b", "../x", "a\nb"}) {
    const auto refused = acquire(name);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::invalid_argument);
  }
  EXPECT_EQ(fleet_->running(), 0U);
}

// ledger: V4
TEST_F(FleetLoads, without_giving_secrets_to_the_worker) {
  ::setenv("PUNA_TEST_TOKEN", "hunter2", 1);
  script("m", "");
  const auto lease = acquire("m");
  ASSERT_TRUE(lease);
  const auto environment = os::read_file(fmt::format("/proc/{}/environ", pid_of("m")), mib(1));
  ASSERT_TRUE(environment);
  EXPECT_EQ(environment->find("hunter2"), std::string::npos);
  EXPECT_NE(environment->find("GGML_NO_BACKTRACE=1"), std::string::npos);
}

TEST_F(FleetLoads, nothing_once_it_shuts_down) {
  script("m", "");
  ASSERT_TRUE(run(fleet_->shutdown(Milliseconds(0))));
  const auto refused = acquire("m");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::unavailable);
}

using FleetUnloads = FleetTest;

// ledger: M13
TEST_F(FleetUnloads, a_model_and_its_process_is_gone) {
  script("m", "");
  ASSERT_TRUE(acquire("m"));
  const auto pid = pid_of("m");
  ASSERT_TRUE(run(fleet_->unload("m")));
  EXPECT_TRUE(is_gone(pid));
  EXPECT_EQ(look("m").name, "");
  EXPECT_TRUE(std::filesystem::is_empty(folder() / "s"));
}

// ledger: M13
TEST_F(FleetUnloads, when_the_running_requests_have_ended) {
  script("m", "");
  Outcome<void> unloaded;
  net::Spawned unloading;
  {
    const auto lease = acquire("m");
    unloading = begin(fleet_->unload("m"), unloaded);
    until_state("m", draining);
    EXPECT_TRUE(chat(*lease));
    EXPECT_FALSE(unloaded.known);
  }
  until([&] { return unloaded.known; });
  EXPECT_TRUE(unloaded.result);
}

// ledger: M13
TEST_F(FleetUnloads, although_a_request_does_not_end) {
  script("m", "");
  options_.drain = Milliseconds(20);
  auto lease = acquire("m");
  ASSERT_TRUE(run(fleet_->unload("m")));
  const Error error = net::run_blocking(io_, lease->explain({Code::unavailable, "connection lost"}));
  EXPECT_EQ(error.message, "model m was unloaded");
}

// ledger: M13
TEST_F(FleetUnloads, by_force_what_does_not_listen) {
  script("m", "deaf\nready");
  options_.stop_grace = Milliseconds(20);
  ASSERT_TRUE(acquire("m"));
  const auto pid = pid_of("m");
  ASSERT_TRUE(run(fleet_->unload("m")));
  EXPECT_TRUE(is_gone(pid));
}

TEST_F(FleetUnloads, and_loads_again_for_who_asks_meanwhile) {
  script("m", "");
  Outcome<void> unloaded;
  Outcome<Lease> second;
  std::vector<net::Spawned> tasks;
  std::filesystem::path socket;
  {
    const auto first = acquire("m");
    socket = first->socket();
    tasks.push_back(begin(fleet_->unload("m"), unloaded));
    until_state("m", draining);
    tasks.push_back(begin(fleet_->acquire("m"), second));
  }
  until([&] { return second.known; });
  ASSERT_TRUE(second.result) << second.result.error().text();
  EXPECT_NE(second.result->socket(), socket);
}

TEST_F(FleetUnloads, during_the_load_and_tells_those_who_waited) {
  script("m", "sleep");
  Outcome<Lease> lease;
  const auto waiter = begin(fleet_->acquire("m"), lease);
  until_state("m", loading);
  ASSERT_TRUE(run(fleet_->unload("m")));
  until([&] { return lease.known; });
  EXPECT_EQ(lease.result.error().code, Code::unavailable);
}

TEST_F(FleetUnloads, only_what_is_loaded) {
  const auto unloaded = run(fleet_->unload("m"));
  ASSERT_FALSE(unloaded);
  EXPECT_EQ(unloaded.error().code, Code::not_found);
}

// ledger: M13
TEST_F(FleetUnloads, everything_when_it_shuts_down) {
  script("a", "");
  script("b", "deaf\nready");
  script("c", "sleep");
  options_.stop_grace = Milliseconds(20);
  const auto held = acquire("a");
  ASSERT_TRUE(acquire("b"));
  Outcome<Lease> never;
  const auto waiter = begin(fleet_->acquire("c"), never);
  until_state("c", loading);
  std::vector<std::int64_t> pids;
  for (const auto& running : fleet_->list()) pids.push_back(running.pid.value_or(0));
  ASSERT_TRUE(run(fleet_->shutdown(Milliseconds(20))));
  ASSERT_EQ(pids.size(), 3U);
  for (const auto pid : pids) EXPECT_TRUE(is_gone(pid));
}

TEST_F(FleetUnloads, everything_even_when_it_is_just_dropped) {
  script("m", "deaf\nready");
  const auto lease = acquire("m");
  ASSERT_TRUE(lease);
  const auto pid = pid_of("m");
  fleet_.reset();
  until([&] { return is_gone(pid); });
}

using FleetKeeps = FleetTest;

TEST_F(FleetKeeps, a_model_for_the_keep_alive_after_its_last_request) {
  script("m", "");
  options_.keep_alive = Milliseconds(20);
  ASSERT_TRUE(acquire("m"));
  until_state("m", stopped);
  EXPECT_EQ(fleet_->running(), 0U);
}

TEST_F(FleetKeeps, a_model_not_at_all_when_told_zero) {
  script("m", "");
  ASSERT_TRUE(acquire("m", {.keep_alive = Milliseconds(0)}));
  until_state("m", stopped);
}

TEST_F(FleetKeeps, a_model_for_ever_when_told_so) {
  script("m", "");
  options_.keep_alive = Milliseconds(0);
  ASSERT_TRUE(acquire("m", {.keep_alive = kForever}));
  EXPECT_FALSE(look("m").expires_at);
  EXPECT_TRUE(acquire("m", {.keep_alive = kForever}));
  EXPECT_EQ(told_states("m").back(), ready);
}

TEST_F(FleetKeeps, to_the_word_of_the_latest_request) {
  script("m", "");
  ASSERT_TRUE(acquire("m", {.keep_alive = kForever}));
  ASSERT_TRUE(acquire("m", {.keep_alive = Milliseconds(0)}));
  until_state("m", stopped);
}

TEST_F(FleetKeeps, a_busy_model_whatever_the_keep_alive) {
  script("m", "");
  options_.keep_alive = Milliseconds(0);
  const auto held = acquire("m");
  ASSERT_TRUE(acquire("m"));  // begins and ends beside it
  ASSERT_TRUE(chat(*held));
  EXPECT_EQ(look("m").state, busy);
}

TEST_F(FleetKeeps, a_model_for_all_who_waited_even_with_zero) {
  script("m", gate("load") + "\nready");
  options_.keep_alive = Milliseconds(0);
  std::array<Outcome<Lease>, 2> leases;
  const std::array waiters = {begin(fleet_->acquire("m"), leases[0]), begin(fleet_->acquire("m"), leases[1])};
  open_gate("load");
  until([&] { return leases[0].known && leases[1].known; });
  EXPECT_EQ(leases[0].result->socket(), leases[1].result->socket());
}

}  // namespace
}  // namespace puna::fleet::testing
