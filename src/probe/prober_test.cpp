#include "probe/prober.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <fstream>
#include <mutex>

#include "models/tiny_model.h"
#include "os/file.h"
#include "os/place_file.h"
#include "os/sha256.h"
#include "os/temporary_folder.h"
#include "probe/child.h"
#include "probe/new_models.h"

namespace puna::probe {
namespace {

using testing::Contains;
using testing::HasSubstr;
using tiny_model::Kind;
using wire::JobState;
using wire::ProbeOutcome;

constexpr Milliseconds kSoon{60'000};

// A library, a queue, a fleet that is as a test says, and children that are the program itself or a script.
class Probing : public testing::Test {
 protected:
  void add(const std::string& name, Kind kind = Kind::chat, std::uint64_t seed = 1) {
    const auto file = folder_.path() / "new.gguf";
    ASSERT_TRUE(tiny_model::write(file, kind, seed));
    const auto hash = os::sha256_of(os::read_file(file, gib(1)).value()).value();
    ASSERT_TRUE(os::place_file(file, library_.blob_path(hash).value()));
    ASSERT_TRUE(library_.add({.name = name, .files = {{.path = "new.gguf", .sha256 = hash}}, .provenance = {.catalogue = "file"}}));
    std::filesystem::remove(file);
  }
  // In place of the program; `text` is a shell script. Each run leaves a line in the file "runs".
  void replace_program(std::string_view text) {
    program_ = folder_.path() / "program";
    std::ofstream(program_) << "#!/bin/sh\necho run >>" << (folder_.path() / "runs").string() << "\n" << text << "\n";
    std::filesystem::permissions(program_, std::filesystem::perms::owner_all);
  }
  // A line of such a script.
  static std::string tells(const wire::ProbeLine& line) { return "echo '" + json::to_text(json::encode(line)) + "'\n"; }
  static std::string crashes_in(std::string member, const wire::ModelProbe& findings = {}) {
    return tells({.findings = findings, .begins = std::move(member)}) + "kill -11 $$";
  }
  std::size_t runs() const { return os::read_file(folder_.path() / "runs", mib(1)).value_or("").size() / 4; }
  Prober& prober() {
    if (!prober_)
      prober_ = std::make_unique<Prober>(ProberParts{.settings = settings_,
                                                     .events = events_,
                                                     .library = library_,
                                                     .program = program_,
                                                     .running = [this](const std::stop_token&) -> Result<std::vector<wire::RunningModel>> {
                                                       const std::lock_guard lock(mutex_);
                                                       return workers_;
                                                     },
                                                     .memory = [this] { return memory_; }});
    return *prober_;
  }
  jobs::Queue& queue() {
    if (!queue_) {
      queue_ = std::make_unique<jobs::Queue>(database_, events_, settings_, std::vector{prober().job_spec()});
      EXPECT_TRUE(queue_->start());
    }
    return *queue_;
  }
  wire::Job run(const std::string& model) {
    const auto job = prober().submit(queue(), model);
    EXPECT_TRUE(job) << job.error().text();
    return queue().wait(job.value().id, kSoon).value();
  }
  wire::ModelProbe probe_of(const std::string& model) { return library_.find(model).value().probe.value_or(wire::ModelProbe()); }
  void fleet_is(std::vector<wire::RunningModel> workers) {
    {
      const std::lock_guard lock(mutex_);
      workers_ = workers;
    }
    for (const auto& worker : workers) events_.publish_as("worker.state", worker);
  }
  bool was_published(const std::function<bool(const Event&)>& wanted) const {
    return std::ranges::any_of(events_.since(0, 100000).events, [&](const auto& event) { return wanted(*event); });
  }
  // Asks without a lock, since whoever publishes may hold one that the answer wants.
  void await(const std::function<bool()>& happened) {
    std::mutex mutex;
    std::condition_variable told;
    bool published = false;
    const auto subscription = events_.subscribe([&] {
      const std::lock_guard lock(mutex);
      published = true;
      told.notify_all();
    });
    while (!happened()) {
      std::unique_lock lock(mutex);
      ASSERT_TRUE(told.wait_for(lock, kSoon, [&] { return published; }));
      published = false;
    }
  }
  // That the job is in it now.
  void await_phase(std::string_view phase) {
    await([&] {
      std::string last;
      for (const auto& event : events_.since(0, 100000).events)
        if (event->type == "job.updated") last = json::decode<wire::Job>(json::value(event->data)).value().progress.phase;
      return last == phase;
    });
  }
  static wire::RunningModel worker(wire::WorkerState state, std::int64_t bytes = 1) {
    return {.name = "other", .state = state, .pid = 1, .predicted_bytes = bytes};
  }

  os::TemporaryFolder folder_ = os::TemporaryFolder::create().value();
  std::filesystem::path program_ = PUNA_PROGRAM;
  store::Database database_ = store::Database::open(":memory:").value();
  EventBus events_;
  SettingsStore settings_{{.flags = {}}};
  model::Library library_ = model::Library::open(database_, events_, folder_.path() / "models").value();
  std::mutex mutex_;
  std::vector<wire::RunningModel> workers_;
  os::MemoryNow memory_{.total = gib(16), .available = gib(16)};
  std::unique_ptr<Prober> prober_;
  std::unique_ptr<jobs::Queue> queue_;
};

TEST_F(Probing, tells_what_a_model_can_do) {
  add("tiny", Kind::tools);
  EXPECT_EQ(run("tiny").state, JobState::completed);
  EXPECT_EQ(probe_of("tiny").writes.outcome, ProbeOutcome::passed);
  EXPECT_THAT(library_.find("tiny")->details.capabilities, Contains("tools"));
}

TEST_F(Probing, a_crash_is_a_finding_of_what_was_tried_and_takes_a_capability_away) {
  add("tiny", Kind::tools);
  ASSERT_THAT(library_.find("tiny")->details.capabilities, Contains("tools"));
  replace_program(crashes_in("tool_calls", {.chat = {.outcome = ProbeOutcome::passed}, .tools = {.outcome = ProbeOutcome::passed}}));
  EXPECT_EQ(run("tiny").state, JobState::completed);
  const auto found = probe_of("tiny");
  EXPECT_EQ(found.chat.outcome, ProbeOutcome::passed);
  EXPECT_EQ(found.tool_calls.outcome, ProbeOutcome::failed);
  EXPECT_THAT(found.tool_calls.note.value_or(""), HasSubstr("does not survive it (signal 11"));
}

TEST_F(Probing, waits_while_a_worker_works) {
  add("tiny");
  fleet_is({worker(wire::WorkerState::busy)});
  const auto job = prober().submit(queue(), "tiny").value();
  await_phase("waiting");
  EXPECT_FALSE(library_.find("tiny")->probe);
  fleet_is({worker(wire::WorkerState::ready)});
  EXPECT_EQ(queue().wait(job.id, kSoon)->state, JobState::completed);
}

TEST_F(Probing, gives_way_at_once_and_begins_anew) {
  add("tiny");
  const auto again = folder_.path() / "again";
  replace_program(fmt::format("if [ -e {} ]; then\n{}exit 0; fi\nexec sleep 1000", again.string(),
                              tells({.findings = wire::ModelProbe(), .finished = true})));
  const auto job = prober().submit(queue(), "tiny").value();
  await_phase("trying");
  fleet_is({worker(wire::WorkerState::busy)});
  await_phase("waiting");
  std::ofstream(again) << "x";
  fleet_is({worker(wire::WorkerState::ready)});
  EXPECT_EQ(queue().wait(job.id, kSoon)->state, JobState::completed);
}

TEST_F(Probing, waits_for_memory_that_resting_models_hold_and_evicts_none) {
  add("tiny");
  memory_.available = gib(1);
  fleet_is({worker(wire::WorkerState::ready, std::int64_t{1} << 30)});
  const auto job = prober().submit(queue(), "tiny").value();
  await_phase("waiting");
  fleet_is({});
  events_.publish_as("worker.state", worker(wire::WorkerState::stopped));
  EXPECT_EQ(queue().wait(job.id, kSoon)->state, JobState::completed);
  EXPECT_EQ(probe_of("tiny").loads.outcome, ProbeOutcome::passed);
}

TEST_F(Probing, tries_the_template_alone_where_memory_can_never_suffice) {
  add("tiny");
  memory_.available = mib(1);
  EXPECT_EQ(run("tiny").state, JobState::completed);
  EXPECT_EQ(probe_of("tiny").chat.outcome, ProbeOutcome::passed);
  EXPECT_EQ(probe_of("tiny").loads.outcome, ProbeOutcome::untried);
  EXPECT_THAT(probe_of("tiny").loads.note.value_or(""), HasSubstr("are available to models"));
}

TEST_F(Probing, what_ends_the_child_from_outside_is_not_held_against_the_model) {
  add("tiny");
  replace_program(tells({.begins = "loads"}) + "kill -9 $$");
  EXPECT_EQ(run("tiny").state, JobState::completed);
  EXPECT_EQ(probe_of("tiny").loads.outcome, ProbeOutcome::untried);
}

TEST_F(Probing, a_cancelled_job_ends_its_child) {
  add("tiny");
  replace_program("exec sleep 1000");
  const auto job = prober().submit(queue(), "tiny").value();
  await_phase("trying");
  ASSERT_TRUE(queue().cancel(job.id));
  EXPECT_EQ(queue().wait(job.id, kSoon)->state, JobState::cancelled);
  EXPECT_FALSE(library_.find("tiny")->probe);
}

class NewModel : public Probing {
 protected:
  std::unique_ptr<NewModels> attend() {
    return std::make_unique<NewModels>(
        NewModels::Parts{.events = events_, .settings = settings_, .library = library_, .prober = prober(), .queue = queue()});
  }
  void await_probe(const std::string& model) {
    await([&] {
      return was_published([&](const Event& event) { return event.type == "model.probed" && event.data.at("name").as_string() == model; });
    });
  }
};

TEST_F(NewModel, is_tried_when_it_comes_and_those_from_before_at_the_start) {
  add("old:1");
  const auto attending = attend();
  await_probe("old:1");
  add("new:1", Kind::chat, 2);
  await_probe("new:1");
  EXPECT_EQ(probe_of("new:1").writes.outcome, ProbeOutcome::passed);
}

TEST_F(NewModel, is_tried_again_when_its_file_has_changed) {
  add("tiny:1");
  const auto attending = attend();
  const auto completed = [&](std::ptrdiff_t count) {
    await([&, count] {
      return std::ranges::count_if(queue().list(), [](const auto& job) { return job.state == JobState::completed; }) == count;
    });
  };
  completed(1);
  const auto file = library_.show("tiny:1")->path;
  std::filesystem::last_write_time(file, std::filesystem::last_write_time(file) + std::chrono::seconds(5));
  ASSERT_FALSE(library_.find("tiny:1")->probe);
  events_.publish_as("model.updated", library_.find("tiny:1").value());  // as who watches the files tells it
  completed(2);
  EXPECT_TRUE(library_.find("tiny:1")->probe);
}

TEST_F(NewModel, that_crashes_is_not_tried_again_after_a_restart) {
  add("tiny:1");
  replace_program(crashes_in("loads"));
  {
    const auto attending = attend();
    await_probe("tiny:1");
  }
  const auto attending = attend();
  add("next:1", Kind::chat, 2);
  await_probe("next:1");
  EXPECT_EQ(runs(), 2);
}

TEST_F(NewModel, is_left_alone_when_the_setting_says_so) {
  add("tiny:1");
  const SettingsStore off{{.flags = {{"models.probe", "false"}}}};
  {
    const NewModels attending({.events = events_, .settings = off, .library = library_, .prober = prober(), .queue = queue()});
  }
  EXPECT_TRUE(queue().list().empty());
}

}  // namespace
}  // namespace puna::probe
