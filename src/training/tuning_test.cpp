#include "training/tuning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <fstream>

#include "gguf/reader.h"
#include "model/library.h"
#include "models/tiny_model.h"
#include "os/file.h"
#include "os/place_file.h"
#include "os/sha256.h"
#include "os/temporary_folder.h"
#include "training/run_folder.h"

namespace puna::training {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using wire::JobState;

constexpr Milliseconds kSoon{100'000};
constexpr std::int64_t kManySteps = 300;  // not done before somebody has seen the third and acted

// A library with the tiny model "tiny:f32", rows to train it on, a queue, and the program itself for children.
class TuningTest : public testing::Test {
 protected:
  TuningTest() {
    add("tiny:f32", tiny_model::Kind::chat, 1);
    write("rows.jsonl",
          "{\"prompt\": \"What do llamas eat?\", \"completion\": \"Hay.\"}\n{\"prompt\": \"Do llamas spit?\", \"completion\": "
          "\"Sometimes.\"}\n"
          "{\"prompt\": \"Where do llamas live?\", \"completion\": \"In the mountains.\"}\n");
  }

  void add(const std::string& name, tiny_model::Kind kind, std::uint64_t seed) {
    const auto file = folder_.path() / "new.gguf";
    ASSERT_TRUE(tiny_model::write(file, kind, seed));
    const auto hash = os::sha256_of(os::read_file(file, gib(1)).value()).value();
    if (!library_.holds(hash)) ASSERT_TRUE(os::place_file(file, library_.blob_path(hash).value()));
    ASSERT_TRUE(library_.add({.name = name, .files = {{.path = "new.gguf", .sha256 = hash}}, .provenance = {.catalogue = "file"}}));
    std::filesystem::remove(file);
  }
  std::string write(const std::string& name, std::string_view text) {
    const auto path = folder_.path() / name;
    std::ofstream(path) << text;
    return path.string();
  }
  Tuning& tuning() {
    if (!tuning_)
      tuning_ = std::make_unique<Tuning>(TuningParts{
          .settings = settings_, .library = library_, .events = events_, .program = PUNA_PROGRAM, .folder = folder_.path() / "runs"});
    return *tuning_;
  }
  jobs::Queue& queue() {
    if (!queue_) {
      queue_ = std::make_unique<jobs::Queue>(database_, events_, settings_, std::vector{tuning().job_spec()});
      EXPECT_TRUE(queue_->start());
    }
    return *queue_;
  }
  // As when the daemon ends and another one begins.
  void restart() {
    EXPECT_TRUE(queue_->stop(kSoon));
    queue_.reset();
    tuning_.reset();
  }
  wire::TuneRequest request(std::int64_t steps = 6) {
    return {.model = "tiny:f32",
            .data = {(folder_.path() / "rows.jsonl").string()},
            .name = "care",
            .settings = wire::TuneSettings{.rank = 4,
                                           .learning_rate = 0.01,
                                           .max_steps = steps,
                                           .batch_rows = 2,
                                           .threads = 2,
                                           .device = "cpu",
                                           .eval_fraction = 0,
                                           .checkpoint_every = 2}};
  }
  std::string refusal(const wire::TuneRequest& wanted) {
    const auto job = tuning().submit(queue(), wanted);
    return job ? "" : job.error().text();
  }
  wire::Job end_of(const wire::Job& job) { return queue().wait(job.id, kSoon).value(); }
  // Looks after each event.
  void await(const std::function<bool()>& happened) {
    std::mutex mutex;
    std::condition_variable published;
    bool is_new = false;
    const auto subscription = events_.subscribe([&] {
      const std::lock_guard lock(mutex);
      is_new = true;
      published.notify_all();
    });
    const auto deadline = std::chrono::steady_clock::now() + kSoon;
    while (!happened()) {
      std::unique_lock lock(mutex);
      ASSERT_TRUE(published.wait_until(lock, deadline, [&] { return std::exchange(is_new, false); }));
    }
  }
  void await_step(std::int64_t step) {
    await([&] {
      const auto run = tuning().get(queue(), "care");
      return run && run->progress && run->progress->step.value_or(0) >= step;
    });
  }
  void await_state(const wire::Job& job, JobState state) {
    await([&] { return queue().get(job.id)->state == state; });
  }
  std::string adapter_bytes() { return os::read_file(library_.show("care")->path, gib(1)).value(); }

  os::TemporaryFolder folder_ = os::TemporaryFolder::create().value();
  store::Database database_ = store::Database::open(":memory:").value();
  EventBus events_{100'000};
  SettingsStore settings_{{.flags = {{"models.threads", "1"}}}};
  model::Library library_ = model::Library::open(database_, events_, folder_.path() / "models").value();
  std::unique_ptr<Tuning> tuning_;
  std::unique_ptr<jobs::Queue> queue_;
};

TEST_F(TuningTest, a_run_ends_with_an_adapter_of_its_name_in_the_library) {
  const auto job = tuning().submit(queue(), request());
  ASSERT_TRUE(job) << job.error().text();
  EXPECT_EQ(job->title, "train tiny:f32 as care");
  const auto ended = end_of(*job);
  ASSERT_EQ(ended.state, JobState::completed) << ended.failure->message;
  const auto result = json::decode<wire::TuneResult>(*ended.result).value();
  EXPECT_EQ(result.serves, "tiny:f32+care");
  EXPECT_EQ(library_.find("care")->details.capabilities, std::vector<std::string>{"adapter"});
  const auto run = tuning().get(queue(), "care").value();
  EXPECT_EQ(run.state, JobState::completed);
  EXPECT_EQ(run.progress->step, 6);
  EXPECT_THAT(tuning().list(queue())->runs, SizeIs(1));
}

TEST_F(TuningTest, what_a_run_tells_is_an_event_and_a_line_of_its_metrics) {
  const auto job = tuning().submit(queue(), request()).value();
  end_of(job);
  std::int64_t steps = 0;
  for (const auto& event : events_.since(0, 100'000).events)
    if (event->type == "tune.progress" && event->data.at("kind") == "step") steps = event->data.at("step").to_number<std::int64_t>();
  EXPECT_EQ(steps, 6);
  const auto all = tuning().metrics("care", 0).value();
  const auto first = tuning().metrics("care", 0, 2).value();
  const auto rest = tuning().metrics("care", first.next).value();
  EXPECT_EQ(first.events.size() + rest.events.size(), all.events.size());
  EXPECT_THAT(tuning().metrics("care", all.next)->events, IsEmpty());
}

// ledger: F9
TEST_F(TuningTest, what_cannot_work_is_refused_before_anything_begins) {
  add("vectors:f32", tiny_model::Kind::embedding, 1);
  auto wanted = request();
  wanted.model = "vectors:f32";
  EXPECT_THAT(refusal(wanted), HasSubstr("it trains llama"));
  wanted.model = "nobody:f32";
  EXPECT_THAT(refusal(wanted), HasSubstr("nobody"));
  wanted = request();
  wanted.settings->targets = {"attn_x"};
  EXPECT_THAT(refusal(wanted), HasSubstr("no target 'attn_x'"));
  wanted = request();
  wanted.settings->rank = 256;
  EXPECT_THAT(refusal(wanted), HasSubstr("rank 256 is more than"));
  wanted = request();
  wanted.name = "tiny:f32";
  EXPECT_THAT(refusal(wanted), HasSubstr("small letters"));
  EXPECT_THAT(tuning().list(queue())->runs, IsEmpty());
}

TEST_F(TuningTest, data_that_cannot_be_trained_on_is_refused_before_anything_begins) {
  auto wanted = request();
  wanted.data = {write("empty.jsonl", "")};
  EXPECT_NE(refusal(wanted), "");
  wanted.data = {write("broken.jsonl", "{\"prompt\": \"a\", \"completion\": \"b\"}\n{\"prompt\": \"a\"\n")};
  EXPECT_THAT(refusal(wanted), HasSubstr("broken.jsonl, line 2"));
  wanted.data = {(folder_.path() / "nothing.jsonl").string()};
  EXPECT_THAT(refusal(wanted), HasSubstr("nothing.jsonl"));
  wanted = request();
  wanted.settings->method = "dpo";
  EXPECT_NE(refusal(wanted), "");
}

TEST_F(TuningTest, names_are_taken_once_and_found_when_nobody_gives_one) {
  const auto job = tuning().submit(queue(), request(2)).value();
  EXPECT_THAT(refusal(request()), HasSubstr("there is a run care already"));
  end_of(job);
  EXPECT_THAT(refusal(request()), HasSubstr("there is a model care"));
  auto nameless = request(2);
  nameless.name.reset();
  const auto other = tuning().submit(queue(), nameless);
  ASSERT_TRUE(other) << other.error().text();
  EXPECT_EQ(tuning().list(queue())->runs.front().name, "tiny-f32-rows");
  EXPECT_EQ(end_of(*other).state, JobState::completed);
}

TEST_F(TuningTest, a_paused_run_goes_on_to_the_same_result) {
  end_of(tuning().submit(queue(), request(kManySteps)).value());
  const auto straight = adapter_bytes();
  ASSERT_TRUE(library_.remove("care"));
  ASSERT_TRUE(tuning().remove(queue(), "care"));
  const auto job = tuning().submit(queue(), request(kManySteps)).value();
  await_step(3);
  ASSERT_TRUE(queue().pause(job.id));
  await_state(job, JobState::paused);
  EXPECT_GE(tuning().get(queue(), "care")->resumes_at.value_or(0), 3);
  EXPECT_LT(tuning().get(queue(), "care")->resumes_at.value_or(0), kManySteps);
  ASSERT_TRUE(tuning().resume(queue(), "care"));
  ASSERT_EQ(end_of(job).state, JobState::completed);
  EXPECT_EQ(adapter_bytes(), straight);
}

// ledger: F8
TEST_F(TuningTest, a_run_goes_on_when_the_daemon_is_there_again) {
  const auto job = tuning().submit(queue(), request(kManySteps)).value();
  await_step(3);
  restart();
  EXPECT_LT(tuning().get(queue(), "care")->resumes_at.value_or(0), kManySteps);
  const auto ended = end_of(job);
  ASSERT_EQ(ended.state, JobState::completed) << ended.failure->message;
  EXPECT_GE(ended.attempt, 2);
}

TEST_F(TuningTest, a_run_that_is_trained_keeps_its_steps_until_its_adapter_has_a_place) {
  const auto job = tuning().submit(queue(), request(kManySteps)).value();
  await_step(1);
  add("care", tiny_model::Kind::chat, 2);  // somebody else's, meanwhile
  const auto ended = end_of(job);
  EXPECT_THAT(ended.failure.value_or(wire::JobFailure()).message, HasSubstr("there is another model care by now"));
  EXPECT_EQ(tuning().get(queue(), "care")->resumes_at, kManySteps);
  ASSERT_TRUE(library_.remove("care"));
  const auto again = tuning().resume(queue(), "care");
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(end_of(*again).state, JobState::completed);
  EXPECT_EQ(tuning().get(queue(), "care")->result->steps, kManySteps);
}

// ledger: F7
TEST_F(TuningTest, a_cancelled_run_keeps_its_checkpoint_and_can_be_resumed_or_removed) {
  const auto job = tuning().submit(queue(), request(100'000)).value();
  await_step(3);
  EXPECT_THAT(tuning().remove(queue(), "care").error().text(), HasSubstr("stop it first"));
  ASSERT_TRUE(queue().cancel(job.id));
  ASSERT_EQ(end_of(job).state, JobState::cancelled);
  EXPECT_GE(tuning().get(queue(), "care")->resumes_at.value_or(0), 3);
  const auto again = tuning().resume(queue(), "care");
  ASSERT_TRUE(again) << again.error().text();
  ASSERT_TRUE(queue().cancel(again->id));
  end_of(*again);
  EXPECT_GT(tuning().remove(queue(), "care")->count, 0U);
  EXPECT_EQ(tuning().get(queue(), "care").error().code, Code::not_found);
}

// ledger: F8
TEST_F(TuningTest, one_run_is_trained_at_a_time_and_the_next_one_waits_its_turn) {
  const auto first = tuning().submit(queue(), request(100'000)).value();
  await_step(1);
  auto other = request(2);
  other.name = "second";
  const auto second = tuning().submit(queue(), other).value();
  EXPECT_EQ(queue().get(second.id)->state, JobState::queued);
  EXPECT_EQ(tuning().get(queue(), "second")->state, JobState::queued);
  ASSERT_TRUE(queue().cancel(first.id));
  EXPECT_EQ(end_of(second).state, JobState::completed);
}

TEST_F(TuningTest, a_base_that_has_changed_is_no_base_to_go_on_with) {
  const auto job = tuning().submit(queue(), request(100'000)).value();
  await_step(3);
  ASSERT_TRUE(queue().cancel(job.id));
  end_of(job);
  add("tiny:f32", tiny_model::Kind::chat, 2);
  const auto again = tuning().resume(queue(), "care");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::conflict);
  EXPECT_THAT(again.error().text(), HasSubstr("another model than when run care began"));
}

TEST_F(TuningTest, an_estimate_says_what_a_run_takes_and_leaves_nothing) {
  const auto estimate = tuning().estimate(request());
  ASSERT_TRUE(estimate) << estimate.error().text();
  EXPECT_EQ(estimate->steps, 6);
  EXPECT_EQ(estimate->rows, 3);
  EXPECT_TRUE(estimate->fits);
  EXPECT_GT(estimate->step_seconds.value_or(0), 0);
  EXPECT_THAT(tuning().list(queue())->runs, IsEmpty());
}

TEST_F(TuningTest, a_preview_shows_the_tokens_and_which_of_them_are_trained) {
  const auto preview = tuning().preview(request(), 2);
  ASSERT_TRUE(preview) << preview.error().text();
  ASSERT_THAT(preview->rows, SizeIs(2));
  std::string trained;
  for (const auto& piece : preview->rows[0].pieces)
    if (piece.weight > 0) trained += piece.text;
  EXPECT_THAT(trained, HasSubstr("Hay."));
  EXPECT_EQ(trained.find("eat"), std::string::npos);
}

}  // namespace
}  // namespace puna::training
