#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/id.h"
#include "jobs/queue_test.h"

namespace puna::jobs {
namespace {

namespace fs = std::filesystem;
using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;

class RestartedQueue : public testing::Test {
 protected:
  RestartedQueue() : folder_(fs::temp_directory_path() / new_ulid()), file_(folder_ / "puna.db") { fs::create_directory(folder_); }
  ~RestartedQueue() override { fs::remove_all(folder_); }

  // Counts to a million in its checkpoint, or, once `finish_` is set, ends with what it finds there.
  JobSpec counting(bool resumable = true) const {
    return {.kind = "count",
            .title = [](const json::value&) { return std::string("count"); },
            .run = [this](JobContext& context) -> Result<json::value> {
              const auto from = context.checkpoint() ? context.checkpoint()->as_int64() : 0;
              if (finish_) return json::value(from);
              for (auto i = from + 1; i <= 1'000'000; ++i) {
                PUNA_CHECK(context.go_on());
                PUNA_CHECK(context.save_checkpoint(i));
                context.progress({.done = i, .total = 1'000'000, .unit = "steps", .phase = "counting"});
              }
              return json::value("complete");
            },
            .resumable = resumable};
  }
  // A daemon that submits the jobs, tells through a pipe when the first has saved its 20th checkpoint, and is then killed.
  void run_and_kill(bool resumable, int jobs) {
    int pipe[2];
    ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      Rig rig({counting(resumable)}, {{"jobs.parallel", "1"}}, file_);
      for (int i = 0; i < jobs; ++i) rig.submit("count", i);
      rig.await([](const wire::Job& job) { return job.progress.done >= 20; });
      ::_exit(::write(pipe[1], "k", 1) == 1 ? (::pause(), 0) : 1);
    }
    char told = 0;
    EXPECT_EQ(::read(pipe[0], &told, 1), 1);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(pipe[0]);
    ::close(pipe[1]);
  }
  fs::path folder_;
  fs::path file_;
  bool finish_ = false;
};

// ledger: M2
TEST_F(RestartedQueue, a_killed_daemons_jobs_go_on_from_their_checkpoints) {
  run_and_kill(true, 2);
  finish_ = true;
  Rig rig({counting()}, {{"jobs.parallel", "1"}}, file_);
  const auto jobs = rig.queue->list();
  ASSERT_EQ(jobs.size(), 2u);
  EXPECT_GE(rig.ended(jobs[1]).result->as_int64(), 20);
  EXPECT_EQ(rig.ended(jobs[0]).result->as_int64(), 0);
  EXPECT_THAT(rig.states(jobs[1]), ElementsAre(JobState::interrupted, JobState::queued, JobState::running, JobState::completed));
}

// ledger: F8
TEST_F(RestartedQueue, a_job_that_cannot_go_on_fails_with_a_reason_when_the_daemon_was_killed) {
  run_and_kill(false, 1);
  Rig rig({counting(false)}, {}, file_);
  const auto job = rig.queue->list().at(0);
  EXPECT_EQ(job.state, JobState::failed);
  EXPECT_THAT(job.failure->message, HasSubstr("start it again"));
}

// ledger: F8
TEST_F(RestartedQueue, a_stop_in_order_keeps_progress_and_the_next_start_goes_on) {
  wire::Job job;
  {
    Rig rig({counting()}, {}, file_);
    job = rig.submit("count");
    rig.await([](const wire::Job& seen) { return seen.progress.done >= 20; });
    rig.queue->stop(kSoon).value();
    EXPECT_EQ(rig.queue->get(job.id)->state, JobState::interrupted);
  }
  finish_ = true;
  Rig rig({counting()}, {}, file_);
  EXPECT_GE(rig.ended(job).result->as_int64(), 20);
}

TEST_F(RestartedQueue, a_job_that_ends_the_daemon_again_and_again_is_given_up) {
  {
    Rig rig({counting()}, {}, file_);
    const auto job = rig.submit("count");
    rig.queue->stop(kSoon).value();
    rig.database.write([](store::Transaction& tx) { return tx.execute("UPDATE jobs SET state = 'running', crashes = 2"); }).value();
  }
  Rig rig({counting()}, {}, file_);
  const auto job = rig.queue->list().at(0);
  EXPECT_EQ(job.state, JobState::failed);
  EXPECT_THAT(job.failure->message, HasSubstr("3 times"));
}

TEST_F(RestartedQueue, paused_jobs_stay_paused_and_ended_ones_stay_ended) {
  wire::Job paused, ended;
  {
    Rig rig({counting()}, {}, file_);
    paused = rig.submit("count");
    ended = rig.submit("count");
    rig.queue->pause(paused.id).value();
    rig.queue->cancel(ended.id).value();
    rig.ended(ended);
    rig.await(paused, JobState::paused);
  }
  Rig rig({counting()}, {}, file_);
  EXPECT_EQ(rig.queue->get(paused.id)->state, JobState::paused);
  EXPECT_EQ(rig.queue->get(ended.id)->state, JobState::cancelled);
}

TEST_F(RestartedQueue, jobs_of_a_kind_that_this_program_does_not_know_fail) {
  {
    Rig rig({counting()}, {}, file_);
    rig.submit("count");
    rig.queue->stop(kSoon).value();
  }
  Rig rig({}, {}, file_);
  EXPECT_EQ(rig.queue->list().at(0).failure->code, "unsupported");
}

}  // namespace
}  // namespace puna::jobs
