#include "fleet/diagnosis.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace puna::fleet {
namespace {

using wire::WorkerFault;

os::ExitStatus by_signal(int signal) {
  return {.signal = signal};
}

// ledger: M12
TEST(Diagnosis, believes_the_last_word_of_the_worker_itself) {
  const auto failure = diagnose({.reported = wire::WorkerFailure{WorkerFault::model_malformed, "tensor 'x' is cut off", {}},
                                 .exit = os::ExitStatus{.code = 1},
                                 .log = {"a", "b"}});
  EXPECT_EQ(failure.fault, WorkerFault::model_malformed);
  EXPECT_TRUE(failure.message.starts_with("tensor 'x' is cut off; "));
  EXPECT_EQ(failure.log.size(), 2U);
}

// ledger: M12
TEST(Diagnosis, names_the_signal_and_the_last_line_of_a_crash) {
  const auto failure = diagnose({.exit = by_signal(SIGSEGV), .was_ready = true, .log = {"first", "computing"}});
  EXPECT_EQ(failure.fault, WorkerFault::crashed);
  EXPECT_NE(failure.message.find("signal 11 (SEGV)"), std::string::npos) << failure.message;
  EXPECT_NE(failure.message.find("computing"), std::string::npos);
}

// ledger: M12
TEST(Diagnosis, tells_the_kernels_lack_of_memory_from_somebodys_kill) {
  EXPECT_EQ(diagnose({.exit = by_signal(SIGKILL), .oom_kill_seen = true}).fault, WorkerFault::out_of_memory);
  EXPECT_EQ(diagnose({.exit = by_signal(SIGKILL)}).fault, WorkerFault::killed);
  EXPECT_EQ(diagnose({.exit = by_signal(SIGTERM), .oom_kill_seen = true}).fault, WorkerFault::killed);
}

TEST(Diagnosis, takes_an_orderly_end_that_nobody_here_asked_for_as_a_kill) {
  EXPECT_EQ(diagnose({.exit = os::ExitStatus{.code = 0}, .was_ready = true}).fault, WorkerFault::killed);
  EXPECT_EQ(diagnose({.exit = os::ExitStatus{.code = 3}}).fault, WorkerFault::crashed);
}

// ledger: M12
TEST(Diagnosis, has_advice_for_every_fault) {
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<WorkerFault>>([](auto row) {
    if (row.value == WorkerFault::none) return;
    const auto failure = diagnose({.reported = wire::WorkerFailure{row.value, "it happened", {}}});
    EXPECT_GT(failure.message.size(), std::string_view("it happened; ").size()) << row.name;
    EXPECT_NE(code_of(row.value), Code::internal) << row.name;
  });
}

TEST(Diagnosis, counts_oom_kills_without_going_back) {
  const auto first = count_oom_kills();
  EXPECT_GE(count_oom_kills(), first);
}

}  // namespace
}  // namespace puna::fleet
