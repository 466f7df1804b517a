#include <barrier>

#include "jobs/queue_test.h"

namespace puna::jobs {
namespace {

using namespace test;

// Reports, saves, ends well, badly or by an exception, whichever its number says.
Result<json::value> any_outcome(JobContext& context) {
  const auto number = context.request().as_int64();
  for (int i = 0; i < 5; ++i) {
    PUNA_CHECK(context.go_on());
    context.progress({.done = i, .total = 5, .unit = "steps", .phase = "working"});
  }
  PUNA_CHECK(context.save_checkpoint(number));
  switch (number % 4) {
    case 0:
      return json::value(number);
    case 1:
      return fail(Code::invalid_argument, "no");
    case 2:
      return fail(Code::unavailable, "try again");
    default:
      throw std::runtime_error("boom");
  }
}

void expect_known(const Result<wire::Job>& answer) {
  EXPECT_TRUE(answer || answer.error().code == Code::conflict);
}

// ledger: T15
// ledger: T2
TEST(JobQueueUnderLoad, every_job_ends_exactly_once_whatever_many_threads_do_to_it) {
  constexpr int kThreads = 6, kEach = 50;
  Rig rig({{.kind = "work", .run = any_outcome, .resumable = true, .retry = {.attempts = 2, .base = 1ms, .cap = 1ms}}},
          {{"jobs.parallel", "4"}, {"jobs.queue_limit", "1000"}});
  std::barrier start(kThreads);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t)
      threads.emplace_back([&, t] {
        start.arrive_and_wait();
        for (int i = 0; i < kEach; ++i) {
          const auto job = rig.submit("work", t * kEach + i, std::to_string(i / 2));
          // Any of these may come too late or too early, and then says so.
          if (i % 3 == 1 && rig.queue->pause(job.id)) expect_known(rig.queue->resume(job.id));
          if (i % 5 == 2) expect_known(rig.queue->cancel(job.id));
          EXPECT_TRUE(wire::is_terminal(rig.ended(job).state));
        }
      });
  }
  EXPECT_EQ(rig.queue->active(), 0u);
  std::map<std::string, int> ends;
  for (const auto& job : rig.history()) ends[job.id] += wire::is_terminal(job.state) ? 1 : 0;
  for (const auto& [id, count] : ends) EXPECT_EQ(count, 1) << id;
}

}  // namespace
}  // namespace puna::jobs
