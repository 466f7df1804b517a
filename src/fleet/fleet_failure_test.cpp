#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>

#include "fleet/fleet_testing.h"
#include "os/usage.h"

namespace puna::fleet::testing {
namespace {

using wire::WorkerFault;
using enum wire::WorkerState;

class FleetFails : public FleetTest {
 protected:
  // Acquires and must fail; what the fleet then says about the model.
  Error failure(std::string_view model) {
    auto lease = acquire(std::string(model));
    EXPECT_FALSE(lease);
    return lease ? Error() : lease.error();
  }
};

// ledger: M11
TEST_F(FleetFails, with_the_signal_and_the_last_lines_when_a_worker_crashes_while_loading) {
  script("m", "say reading tensors\nsay about to fall\nsignal 11");
  const Error error = failure("m");
  EXPECT_EQ(error.code, Code::upstream_failed);
  EXPECT_NE(error.message.find("signal 11 (SEGV)"), std::string::npos) << error.message;
  EXPECT_EQ(look("m").state, failed);
  EXPECT_THAT(failure_of("m").log, ::testing::ElementsAre("reading tensors", "about to fall"));
}

// ledger: M11
TEST_F(FleetFails, when_a_worker_exits_while_loading) {
  script("m", "exit 3");
  EXPECT_NE(failure("m").message.find("exit code 3"), std::string::npos);
  EXPECT_EQ(failure_of("m").fault, WorkerFault::crashed);
}

// ledger: M12
TEST_F(FleetFails, with_what_the_worker_itself_reports) {
  script("large", "fail out_of_memory 12 GiB are needed");
  script("bad", "fail model_malformed tensor x is cut off");
  script("new", "fail model_unsupported unknown architecture");
  EXPECT_EQ(failure("large").code, Code::out_of_memory);
  EXPECT_EQ(failure("bad").code, Code::corrupt_data);
  EXPECT_EQ(failure("new").code, Code::unsupported);
  EXPECT_NE(failure_of("large").message.find("12 GiB are needed; use a smaller model"), std::string::npos);
}

// ledger: M11
TEST_F(FleetFails, when_the_file_is_not_there) {
  EXPECT_EQ(failure("none").code, Code::not_found);
  EXPECT_EQ(failure_of("none").fault, WorkerFault::model_missing);
}

// ledger: M11
TEST_F(FleetFails, when_a_load_makes_no_progress) {
  options_.load_stall = Milliseconds(50);
  script("m", "progress 0.4\nsleep");
  const Error error = failure("m");
  EXPECT_EQ(error.code, Code::deadline_exceeded);
  EXPECT_NE(error.message.find("loading stood at 40 %"), std::string::npos) << error.message;
  until([&] { return fleet_->running() == 0; });
}

// ledger: M11
TEST_F(FleetFails, when_somebody_kills_the_worker) {
  script("m", "");
  auto lease = acquire("m");
  send_signal(pid_of("m"), SIGKILL);
  const Error error = net::run_blocking(io_, lease->explain({Code::unavailable, "connection lost"}));
  EXPECT_EQ(error.code, Code::upstream_failed);
  EXPECT_EQ(failure_of("m").fault, WorkerFault::killed);
}

// ledger: M11
TEST_F(FleetFails, a_request_whose_worker_crashes_and_serves_the_next_one) {
  script("m", "ready\nsignal 6");
  {
    auto lease = acquire("m");
    const auto answer = chat(*lease);
    ASSERT_FALSE(answer);
    const Error error = net::run_blocking(io_, lease->explain(answer.error()));
    EXPECT_NE(error.message.find("signal 6 (ABRT)"), std::string::npos) << error.message;
  }
  script("m", "");
  const auto again = acquire("m");
  ASSERT_TRUE(again);
  EXPECT_TRUE(chat(*again));
}

TEST_F(FleetFails, one_model_and_leaves_the_others_alone) {
  script("good", "");
  script("bad", "signal 11");
  const auto lease = acquire("good");
  EXPECT_EQ(failure("bad").code, Code::upstream_failed);
  EXPECT_TRUE(chat(*lease));
}

TEST_F(FleetFails, everybody_who_waited_for_the_load) {
  script("m", gate("load") + "\nexit 1");
  std::array<Outcome<Lease>, 2> leases;
  const std::array waiters = {begin(fleet_->acquire("m"), leases[0]), begin(fleet_->acquire("m"), leases[1])};
  open_gate("load");
  until([&] { return leases[0].known && leases[1].known; });
  for (const auto& lease : leases) EXPECT_EQ(lease.result.error().code, Code::upstream_failed);
  EXPECT_EQ(told_states("m").size(), 2U);
}

// ledger: M11
TEST_F(FleetFails, a_hung_worker_when_it_gives_no_sign_of_life) {
  script("m", "ready\nsignal 19");
  options_.hang_probe = Milliseconds(100);
  auto lease = acquire("m");
  const auto pid = pid_of("m");
  Outcome<net::HttpResponse> answer;
  const auto asking = begin(http_.fetch(net::HttpRequest::to_socket(lease->socket(), "POST", "/v1/chat/completions")), answer);
  until([&] { return is_stopped(pid); });
  const auto alive = run(lease->probe());
  ASSERT_FALSE(alive);
  EXPECT_EQ(alive.error().code, Code::upstream_failed);
  EXPECT_EQ(failure_of("m").fault, WorkerFault::hung);
  until([&] { return fleet_->running() == 0 && answer.known; });
  EXPECT_TRUE(is_gone(pid));
  EXPECT_FALSE(answer.result);
}

TEST_F(FleetFails, no_worker_that_answers_its_probe) {
  script("m", "");
  auto lease = acquire("m");
  EXPECT_TRUE(run(lease->probe()));
  const Error error = net::run_blocking(io_, lease->explain({Code::too_large, "the answer is too long"}));
  EXPECT_EQ(error.code, Code::too_large);
}

// ledger: M12
TEST_F(FleetFails, at_once_and_says_when_to_retry_while_starts_are_backed_off) {
  options_.backoff_base = Milliseconds(60'000);
  script("m", "exit 1");
  EXPECT_FALSE(failure("m").retry_after);
  EXPECT_FALSE(failure("m").retry_after);  // one more chance
  const Error refused = failure("m");
  ASSERT_TRUE(refused.retry_after);
  EXPECT_EQ(refused.code, Code::upstream_failed);
  EXPECT_NE(refused.message.find("2 times in a row"), std::string::npos) << refused.message;
  script("m", "");
  ASSERT_TRUE(run(fleet_->unload("m")));  // forgets
  EXPECT_TRUE(acquire("m"));
}

// ledger: M12
TEST_F(FleetFails, anew_after_an_answered_request) {
  options_.backoff_base = Milliseconds(60'000);
  for (int round = 0; round < 3; ++round) {
    script("m", "exit 1");
    EXPECT_FALSE(failure("m").retry_after) << round;
    script("m", "");
    ASSERT_TRUE(acquire("m", {.keep_alive = Milliseconds(0)}));
    until([&] { return fleet_->running() == 0; });
  }
}

TEST_F(FleetFails, a_worker_that_does_not_speak_the_protocol) {
  script("m", "progress nonsense\nsleep");
  options_.load_stall = Milliseconds(50);
  EXPECT_EQ(failure("m").code, Code::deadline_exceeded);
}

// ledger: M3
TEST_F(FleetFails, a_thousand_times_and_leaves_no_descriptor_and_no_process) {
  options_.backoff_base = Milliseconds(0);
  script("crash", "say going down\nsignal 11");
  script("m", "");
  ASSERT_TRUE(acquire("m", {.keep_alive = Milliseconds(0)}));  // whatever is opened once is open now
  ASSERT_EQ(failure("crash").code, Code::upstream_failed);
  until([&] { return fleet_->running() == 0; });
  const auto before = os::own_usage().descriptors;
  for (int i = 0; i < 500; ++i) {
    ASSERT_EQ(failure("crash").code, Code::upstream_failed);
    ASSERT_TRUE(acquire("m", {.keep_alive = Milliseconds(0)}));
  }
  until([&] { return fleet_->running() == 0; });
  EXPECT_EQ(os::own_usage().descriptors, before);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
  EXPECT_EQ(errno, ECHILD);
}

}  // namespace
}  // namespace puna::fleet::testing
