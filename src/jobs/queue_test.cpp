#include "jobs/queue_test.h"

#include <fstream>
#include <stdexcept>

#include "base/id.h"
#include "base/log.h"

namespace puna::jobs {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;

JobSpec work(std::function<Result<json::value>(JobContext&)> run, bool resumable = false) {
  return {
      .kind = "work", .title = [](const json::value&) { return std::string("some work"); }, .run = std::move(run), .resumable = resumable};
}

TEST(JobQueue, a_job_runs_and_shows_its_result) {
  Rig rig({work(succeed)});
  const auto job = rig.ended(rig.submit("work", {{"answer", 42}}));
  EXPECT_EQ(job.state, JobState::completed);
  EXPECT_EQ(job.result->at("answer").as_int64(), 42);
  EXPECT_THAT(rig.states(job), ElementsAre(JobState::queued, JobState::running, JobState::completed));
}

// ledger: T2
TEST(JobQueue, a_job_that_throws_fails_and_the_next_one_runs) {
  Rig rig({work([](JobContext& context) -> Result<json::value> {
            if (context.request() == "std") throw std::runtime_error("boom");
            if (context.request() == "odd") throw 7;
            return json::value(1);
          })},
          {{"jobs.parallel", "1"}});
  const auto standard = rig.ended(rig.submit("work", "std"));
  EXPECT_EQ(standard.state, JobState::failed);
  EXPECT_EQ(standard.failure->code, "internal");
  EXPECT_THAT(standard.failure->message, HasSubstr("boom"));
  EXPECT_EQ(rig.ended(rig.submit("work", "odd")).state, JobState::failed);
  EXPECT_EQ(rig.ended(rig.submit()).state, JobState::completed);
}

TEST(JobQueue, a_failure_keeps_its_code_and_message) {
  Rig rig({work([](JobContext&) -> Result<json::value> { return fail(Code::disk_full, "needs 4 GiB, has 1 GiB"); })});
  const auto job = rig.ended(rig.submit());
  EXPECT_EQ(job.failure->code, "disk_full");
  EXPECT_EQ(job.failure->message, "needs 4 GiB, has 1 GiB");
}

// ledger: T7
TEST(JobQueue, a_full_queue_refuses_at_once_and_says_so) {
  Rig rig({work(wait_for_the_end)}, {{"jobs.parallel", "1"}, {"jobs.queue_limit", "2"}});
  for (int i = 0; i < 3; ++i) rig.submit();
  const auto refused = rig.queue->submit("work", nullptr).error();
  EXPECT_EQ(refused.code, Code::overloaded);
  EXPECT_THAT(refused.message, HasSubstr("2 jobs are waiting"));
}

TEST(JobQueue, no_more_run_at_once_than_the_setting_says_and_in_the_order_of_submission) {
  std::mutex mutex;
  std::vector<std::int64_t> order;
  std::atomic<int> running{0}, most{0};
  Rig rig({work([&](JobContext& context) -> Result<json::value> {
            most = std::max(most.load(), ++running);
            {
              std::lock_guard lock(mutex);
              order.push_back(context.request().as_int64());
            }
            --running;
            return json::value(nullptr);
          })},
          {{"jobs.parallel", "1"}});
  std::vector<wire::Job> jobs;
  for (int i = 0; i < 10; ++i) jobs.push_back(rig.submit("work", i));
  for (const auto& job : jobs) rig.ended(job);
  EXPECT_EQ(most, 1);
  EXPECT_TRUE(std::ranges::is_sorted(order));
}

// ledger: D2
TEST(JobQueue, the_same_key_is_one_job_until_it_has_ended) {
  Rig rig({work(wait_for_the_end)});
  const auto first = rig.submit("work", nullptr, "file-a");
  EXPECT_EQ(rig.submit("work", nullptr, "file-a").id, first.id);
  EXPECT_NE(rig.submit("work", nullptr, "file-b").id, first.id);
  rig.queue->cancel(first.id).value();
  rig.ended(first);
  EXPECT_NE(rig.submit("work", nullptr, "file-a").id, first.id);
}

TEST(JobQueue, a_running_job_ends_when_it_is_cancelled) {
  Rig rig({work(wait_for_the_end)});
  const auto job = rig.submit();
  EXPECT_TRUE(rig.queue->cancel(job.id));
  EXPECT_EQ(rig.ended(job).state, JobState::cancelled);
  EXPECT_EQ(rig.queue->cancel(job.id)->state, JobState::cancelled);
}

TEST(JobQueue, a_waiting_job_that_is_cancelled_never_runs) {
  Rig rig({work(wait_for_the_end)}, {{"jobs.parallel", "1"}});
  const auto running = rig.submit(), waiting = rig.submit();
  EXPECT_EQ(rig.queue->cancel(waiting.id)->state, JobState::cancelled);
  rig.queue->cancel(running.id).value();
  rig.ended(running);
  EXPECT_THAT(rig.states(waiting), ElementsAre(JobState::queued, JobState::cancelled));
}

TEST(JobQueue, work_that_was_done_before_the_cancel_arrived_counts) {
  Rig rig({work([](JobContext& context) -> Result<json::value> {
    auto ended = wait_for_the_end(context);
    return json::value("done all the same");
  })});
  const auto job = rig.submit();
  rig.queue->cancel(job.id).value();
  EXPECT_EQ(rig.ended(job).state, JobState::completed);
}

TEST(JobQueue, an_ended_job_cannot_be_cancelled_paused_or_resumed) {
  Rig rig({work(succeed, true)});
  const auto job = rig.ended(rig.submit());
  EXPECT_EQ(rig.queue->cancel(job.id).error().code, Code::conflict);
  EXPECT_EQ(rig.queue->pause(job.id).error().code, Code::conflict);
  EXPECT_EQ(rig.queue->resume(job.id).error().code, Code::conflict);
}

// Counts one step further in its checkpoint at each attempt; ends at the third.
Result<json::value> three_attempts(JobContext& context) {
  const auto step = context.checkpoint() ? context.checkpoint()->as_int64() + 1 : 1;
  PUNA_CHECK(context.save_checkpoint(step));
  context.progress({.done = step, .total = 3, .unit = "steps", .phase = "counting"});
  if (step == 3) return json::value("counted");
  return wait_for_the_end(context);
}

void await_step(Rig& rig, std::int64_t step) {
  rig.await([&](const wire::Job& job) { return job.progress.done == step && job.state == JobState::running; });
}

TEST(JobQueue, a_paused_job_goes_on_from_its_checkpoint) {
  Rig rig({work(three_attempts, true)});
  const auto job = rig.submit();
  for (std::int64_t step = 1; step < 3; ++step) {
    await_step(rig, step);
    rig.queue->pause(job.id).value();
    rig.await([&](const wire::Job& seen) { return seen.state == JobState::paused && seen.progress.done == step; });
    rig.queue->resume(job.id).value();
  }
  EXPECT_EQ(rig.ended(job).result, json::value("counted"));
  EXPECT_EQ(rig.ended(job).attempt, 3);
}

// ledger: F6
TEST(JobQueue, a_failure_that_needs_help_pauses_and_says_why_until_resumed) {
  std::atomic<bool> room = false;
  Rig rig({{.kind = "work",
            .run = [&](JobContext& context) -> Result<json::value> {
              return room ? succeed(context) : fail(Code::disk_full, "3 GiB are missing");
            },
            .resumable = true,
            .pauses_on = {Code::disk_full}}});
  const auto job = rig.submit();
  rig.await(job, JobState::paused);
  EXPECT_EQ(rig.queue->get(job.id)->failure->message, "3 GiB are missing");
  room = true;
  ASSERT_TRUE(rig.queue->resume(job.id));
  const auto ended = rig.ended(job);
  EXPECT_EQ(ended.state, JobState::completed);
  EXPECT_FALSE(ended.failure);
}

TEST(JobQueue, a_resume_that_comes_before_the_pause_took_effect_is_kept) {
  std::latch paused(1), resumed(1);
  Rig rig({work(
      [&](JobContext& context) -> Result<json::value> {
        if (context.checkpoint()) return json::value("went on");
        PUNA_CHECK(context.save_checkpoint(1));
        auto ended = wait_for_the_end(context);
        paused.count_down();
        resumed.wait();
        return ended;
      },
      true)});
  const auto job = rig.submit();
  rig.queue->pause(job.id).value();
  paused.wait();
  rig.queue->resume(job.id).value();
  resumed.count_down();
  EXPECT_EQ(rig.ended(job).state, JobState::completed);
}

TEST(JobQueue, a_kind_that_cannot_go_on_cannot_be_paused) {
  Rig rig({work(wait_for_the_end)});
  EXPECT_EQ(rig.queue->pause(rig.submit().id).error().code, Code::unsupported);
}

// ledger: T5
TEST(JobQueue, a_failure_that_may_pass_is_tried_again) {
  std::atomic<int> attempts{0};
  auto spec = work([&](JobContext&) -> Result<json::value> {
    if (++attempts < 3) return fail(Code::unavailable, "connection reset");
    return json::value("third time");
  });
  spec.retry = {.attempts = 3, .base = 1ms, .cap = 2ms};
  Rig rig({spec});
  const auto job = rig.ended(rig.submit());
  EXPECT_EQ(job.state, JobState::completed);
  EXPECT_EQ(job.attempt, 3);
  EXPECT_FALSE(job.failure);
}

TEST(JobQueue, tries_end_with_the_last_failure) {
  auto spec = work([](JobContext&) -> Result<json::value> { return fail(Code::unavailable, "connection reset"); });
  spec.retry = {.attempts = 3, .base = 1ms, .cap = 2ms};
  Rig rig({spec});
  const auto job = rig.ended(rig.submit());
  EXPECT_EQ(job.state, JobState::failed);
  EXPECT_EQ(job.attempt, 3);
  EXPECT_EQ(job.failure->code, "unavailable");
}

TEST(JobQueue, a_job_that_waits_for_its_next_try_can_be_cancelled) {
  auto spec = work([](JobContext&) -> Result<json::value> {
    Error error{Code::unavailable, "away"};
    error.retry_after = 1h;
    return fail(error);
  });
  spec.retry = {.attempts = 9};
  Rig rig({spec});
  const auto job = rig.submit();
  rig.await([&](const wire::Job& seen) { return seen.state == JobState::queued && seen.failure; });
  EXPECT_EQ(rig.queue->cancel(job.id)->state, JobState::cancelled);
}

TEST(JobQueue, a_resume_does_not_wait_for_the_time_of_the_next_try) {
  auto spec = work(
      [](JobContext& context) -> Result<json::value> {
        if (context.checkpoint()) return json::value("second try");
        PUNA_CHECK(context.save_checkpoint(1));
        Error error{Code::unavailable, "away"};
        error.retry_after = 1h;
        return fail(error);
      },
      true);
  spec.retry = {.attempts = 9};
  Rig rig({spec});
  const auto job = rig.submit();
  rig.await([&](const wire::Job& seen) { return seen.state == JobState::queued && seen.failure; });
  rig.queue->pause(job.id).value();
  rig.queue->resume(job.id).value();
  EXPECT_EQ(rig.ended(job).state, JobState::completed);
}

TEST(JobQueue, tries_are_counted_anew_after_progress_but_not_after_the_same_checkpoint) {
  auto spec = work([](JobContext& context) -> Result<json::value> {
    const auto step = context.checkpoint() ? context.checkpoint()->as_int64() : 0;
    PUNA_CHECK(context.save_checkpoint(std::min<std::int64_t>(step + 1, 3)));
    return fail(Code::unavailable, "connection reset");
  });
  spec.retry = {.attempts = 2, .base = 1ms, .cap = 1ms};
  Rig rig({spec});
  EXPECT_EQ(rig.ended(rig.submit()).attempt, 4);
}

TEST(JobQueue, many_reports_become_few_events_and_the_last_one_is_always_shown) {
  std::latch shown(1);
  Rig rig({work([&](JobContext& context) -> Result<json::value> {
    for (int i = 1; i <= 1000; ++i) context.progress({.done = i, .total = 2000, .unit = "steps", .phase = "counting"});
    shown.wait();
    return json::value(nullptr);
  })});
  const auto job = rig.submit();
  await_step(rig, 1000);  // while it still runs and reports nothing more
  shown.count_down();
  rig.ended(job);
  EXPECT_LT(rig.history().size(), 100u);
}

TEST(JobQueue, a_wait_ends_at_its_deadline_and_by_its_token) {
  Rig rig({work(wait_for_the_end)});
  const auto job = rig.submit();
  EXPECT_EQ(rig.queue->wait(job.id, 1ms).error().code, Code::deadline_exceeded);
  std::stop_source source;
  source.request_stop();
  EXPECT_EQ(rig.queue->wait(job.id, kForever, source.get_token()).error().code, Code::cancelled);
}

TEST(JobQueue, unknown_ids_and_kinds_are_told_apart) {
  Rig rig({work(succeed)});
  EXPECT_EQ(rig.queue->get("nope").error().code, Code::not_found);
  EXPECT_EQ(rig.queue->cancel("nope").error().code, Code::not_found);
  EXPECT_EQ(rig.queue->submit("nope", nullptr).error().code, Code::invalid_argument);
}

TEST(JobQueue, only_the_newest_ended_jobs_are_remembered) {
  Rig rig({work(succeed)}, {{"jobs.history", "3"}, {"jobs.parallel", "1"}});
  std::vector<wire::Job> jobs;
  for (int i = 0; i < 6; ++i) jobs.push_back(rig.ended(rig.submit()));
  const auto last = rig.submit();
  rig.ended(last);
  std::vector<std::string> kept;
  for (const auto& job : rig.queue->list()) kept.push_back(job.id);
  EXPECT_THAT(kept, ElementsAre(last.id, jobs[5].id, jobs[4].id));
  const auto stored = rig.database.read([](store::Reader& reader) { return reader.query_value<int>("SELECT count(*) FROM jobs"); });
  EXPECT_EQ(stored.value(), 3);
}

TEST(JobQueue, a_job_that_cannot_be_stored_is_refused) {
  Rig rig({work(succeed)});
  rig.database.write([](store::Transaction& tx) { return tx.execute("DROP TABLE jobs"); }).value();
  EXPECT_FALSE(rig.queue->submit("work", nullptr));
  EXPECT_TRUE(rig.queue->list().empty());
}

// ledger: T2
TEST(JobQueue, a_job_whose_end_cannot_be_stored_still_ends) {
  std::latch release(1);
  Rig rig({work([&](JobContext&) -> Result<json::value> {
    release.wait();
    return json::value("done");
  })});
  const auto job = rig.submit();
  rig.database.write([](store::Transaction& tx) { return tx.execute("DROP TABLE jobs"); }).value();
  release.count_down();
  EXPECT_EQ(rig.ended(job).state, JobState::completed);
}

TEST(JobQueue, a_stopped_queue_takes_no_jobs_and_ends_waits) {
  Rig rig({work(wait_for_the_end)});
  const auto job = rig.submit();
  Result<wire::Job> waited;
  std::jthread waiter([&] { waited = rig.queue->wait(job.id, kSoon); });
  rig.queue->stop(kSoon).value();
  waiter.join();
  EXPECT_EQ(waited.error().code, Code::unavailable);
  EXPECT_EQ(rig.queue->submit("work", nullptr).error().code, Code::unavailable);
}

TEST(JobQueue, a_stop_does_not_wait_longer_than_its_deadline_and_names_who_did_not_end) {
  std::latch release(1);
  Rig rig({work([&](JobContext&) -> Result<json::value> {
    release.wait();
    return json::value("too late");
  })});
  const auto job = rig.submit();
  const auto stopped = rig.queue->stop(1ms);
  EXPECT_EQ(stopped.error().code, Code::deadline_exceeded);
  EXPECT_THAT(stopped.error().message, HasSubstr(job.id));
  release.count_down();
  EXPECT_EQ(rig.queue->get(job.id)->state, JobState::interrupted);
}

// ledger: T4
TEST(JobQueue, each_change_of_state_is_logged_with_old_state_new_state_and_cause) {
  const auto file = std::filesystem::temp_directory_path() / (new_ulid() + ".log");
  log::open({.file = file}).value();
  {
    Rig rig({work(wait_for_the_end)});
    const auto job = rig.submit();
    rig.queue->cancel(job.id).value();
    rig.ended(job);
  }
  log::open({}).value();
  std::ifstream stream(file);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  EXPECT_THAT(text, HasSubstr(R"("from":"queued","to":"running","cause":"attempt 1")"));
  EXPECT_THAT(text, HasSubstr(R"("from":"running","to":"cancelled","cause":"asked to cancel")"));
  std::filesystem::remove(file);
}

TEST(JobQueue, a_background_job_takes_no_place_from_the_others_and_runs_alone_of_its_kind) {
  Rig rig({{.kind = "work", .title = [](const json::value&) { return "work"; }, .run = succeed},
           {.kind = "slow", .title = [](const json::value&) { return "slow"; }, .run = wait_for_the_end, .background = true}},
          {{"jobs.parallel", "1"}});
  const auto first = rig.submit("slow");
  const auto second = rig.submit("slow");
  rig.await(first, JobState::running);
  EXPECT_EQ(rig.ended(rig.submit("work")).state, JobState::completed);
  EXPECT_EQ(rig.queue->get(second.id)->state, JobState::queued);
  ASSERT_TRUE(rig.queue->cancel(first.id));
  rig.await(second, JobState::running);
}

}  // namespace
}  // namespace puna::jobs
