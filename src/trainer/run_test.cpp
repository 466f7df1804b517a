#include "trainer/run.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cmath>
#include <fstream>

#include "gguf/reader.h"
#include "inference/inference_testing.h"
#include "os/file.h"
#include "os/line_child.h"
#include "os/sha256.h"
#include "os/temporary_folder.h"
#include "trainer/materials.h"
#include "tune/offload/device.h"

namespace puna::trainer {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using wire::TuneEvent;
using wire::TuneEventKind;

constexpr std::string_view kRows = R"({"prompt": "What do llamas eat?", "completion": "Hay and grass."})"
                                   "\n"
                                   R"({"prompt": "Where do llamas live?", "completion": "In the mountains."})"
                                   "\n"
                                   R"({"prompt": "Do llamas spit?", "completion": "Only when they are angry."})"
                                   "\n"
                                   R"({"prompt": "What is a cria?", "completion": "The baby of a llama."})"
                                   "\n"
                                   R"({"prompt": "How tall are llamas?", "completion": "Up to 1.8 meters."})"
                                   "\n";

std::string bytes_of(const std::filesystem::path& file) {
  return os::read_file(file, gib(1)).value_or("");
}

// Folders of runs beside a small model and some rows; a child of the program trains.
class Training : public testing::Test {
 protected:
  Training() { write_rows(kRows); }

  void write_rows(std::string_view text) { rows_ = model_.write("rows.jsonl", text); }
  static wire::TuneSettings settings(std::int64_t steps) {
    return {.rank = 4,
            .learning_rate = 0.01,
            .max_steps = steps,
            .batch_rows = 2,
            .threads = 2,
            .device = "cpu",
            .eval_fraction = 0,
            .checkpoint_every = 20};
  }
  std::filesystem::path order(const std::string& name, const wire::TuneSettings& settings) {
    const auto folder = folder_.path() / name;
    std::filesystem::create_directory(folder);
    const auto size = static_cast<std::int64_t>(std::filesystem::file_size(model_.file()));
    const auto hash = os::sha256_of(bytes_of(model_.file())).value();
    const wire::TuneOrder order{.name = name,
                                .request = {.model = "tiny:f32", .data = {rows_.string()}, .settings = settings},
                                .load = model_.file().string(),
                                .base = {{.path = model_.file().string(), .size = size, .sha256 = hash}}};
    EXPECT_TRUE(write_order(folder, order));
    return folder;
  }
  // How the child ended: "finished", the error's text, or "killed".
  std::string train(const std::filesystem::path& folder, Milliseconds grace = Milliseconds(0)) {
    std::string out = "killed";
    const auto hear = [&](std::string_view line) {
      const auto event = json::decode_text<TuneEvent>(line, json::Unknown::ignore);
      if (!event) return;
      heard_.push_back(*event);
      if (event->kind == TuneEventKind::finished) out = "finished";
      if (event->error) out = event->error->message;
      if (end_at_ && end_at_(*event)) stop_.request_stop();
    };
    const os::LineChild child{
        .argv = {PUNA_PROGRAM, "trainer", folder.string()}, .log = folder / "log", .grace = grace, .longest_line = mib(1)};
    const auto exit = os::run_line_child(child, hear, stop_.get_token());
    EXPECT_TRUE(exit || exit.error().code == Code::cancelled) << exit.error().text();
    stop_ = {};
    end_at_ = {};
    return out;
  }
  // What commands tell that have a file system of that size at `place`; nothing, where that is not allowed.
  std::optional<std::string> on_small_disk(const std::filesystem::path& place, std::string_view size, std::string_view commands) {
    const auto script = folder_.path() / "small-disk";
    std::ofstream(script) << "mount -t tmpfs -o size=" << size << " tmpfs " << place.string() << " || { echo not allowed; exit 0; }\n"
                          << commands << "\n";
    std::string out;
    const auto exit = os::run_line_child(
        {.argv = {"/usr/bin/unshare", "-rm", "/bin/sh", script.string()}, .log = folder_.path() / "log", .longest_line = mib(1)},
        [&](std::string_view line) { out += std::string(line) + "\n"; }, {});
    if (!exit || out.contains("not allowed") || out.empty()) return std::nullopt;
    return out;
  }
  static std::vector<TuneEvent> metrics(const std::filesystem::path& folder, TuneEventKind kind) {
    std::vector<TuneEvent> out;
    std::ifstream lines(folder / "metrics.jsonl");
    for (std::string line; std::getline(lines, line);)
      if (auto event = json::decode_text<TuneEvent>(line); event && event->kind == kind) out.push_back(*event);
    return out;
  }
  static std::vector<double> losses(const std::filesystem::path& folder) {
    std::vector<double> out;
    for (const auto& event : metrics(folder, TuneEventKind::step)) out.push_back(event.loss.value_or(-1));
    return out;
  }
  static std::vector<std::string> checkpoints(const std::filesystem::path& folder) {
    std::vector<std::string> out;
    std::error_code error;
    for (std::filesystem::directory_iterator at(folder / "checkpoints", error), end; !error && at != end; at.increment(error))
      out.push_back(at->path().filename().string());
    std::ranges::sort(out);
    return out;
  }

  inference::SmallModel model_;
  os::TemporaryFolder folder_ = os::TemporaryFolder::create().value();
  std::filesystem::path rows_;
  std::vector<TuneEvent> heard_;
  std::stop_source stop_;
  std::function<bool(const TuneEvent&)> end_at_;
};

TEST_F(Training, learns_and_leaves_an_adapter_metrics_and_a_report) {
  const auto folder = order("run", settings(30));
  ASSERT_EQ(train(folder), "finished");
  const auto header = gguf::Header::read_file(folder / "adapter.gguf");
  ASSERT_TRUE(header) << header.error().text();
  EXPECT_EQ(header->text("general.type"), "adapter");
  ASSERT_THAT(losses(folder), SizeIs(30));
  EXPECT_LT(losses(folder).back(), 0.8 * losses(folder).front());
  EXPECT_THAT(bytes_of(folder / "report.md"), HasSubstr("tiny:f32"));
  EXPECT_THAT(bytes_of(folder / "result.json"), HasSubstr("all steps"));
  EXPECT_THAT(checkpoints(folder), IsEmpty());
}

// ledger: F14
TEST_F(Training, twenty_steps_a_kill_and_twenty_more_equal_forty) {
  auto wanted = settings(40);
  wanted.dropout = 0.1;
  const auto straight = order("straight", wanted);
  ASSERT_EQ(train(straight), "finished");
  const auto broken = order("broken", wanted);
  end_at_ = [](const TuneEvent& event) { return event.kind == TuneEventKind::step && event.step == 23; };
  ASSERT_EQ(train(broken), "killed");
  ASSERT_THAT(checkpoints(broken), ElementsAre("step-20.gguf"));
  ASSERT_EQ(train(broken), "finished");
  EXPECT_EQ(losses(broken), losses(straight));
  EXPECT_EQ(bytes_of(broken / "adapter.gguf"), bytes_of(straight / "adapter.gguf"));
}

// ledger: F7
TEST_F(Training, a_stop_saves_the_last_whole_step_and_the_run_goes_on_from_there) {
  const auto straight = order("straight", settings(12));
  ASSERT_EQ(train(straight), "finished");
  const auto paused = order("paused", settings(12));
  end_at_ = [](const TuneEvent& event) { return event.kind == TuneEventKind::step && event.step == 5; };
  EXPECT_THAT(train(paused, std::chrono::minutes(1)), HasSubstr("stopped"));
  ASSERT_THAT(checkpoints(paused), SizeIs(1));
  heard_.clear();
  ASSERT_EQ(train(paused), "finished");
  const auto first = std::ranges::find(heard_, TuneEventKind::step, &TuneEvent::kind);
  EXPECT_GE(first->step, 6);
  EXPECT_EQ(bytes_of(paused / "adapter.gguf"), bytes_of(straight / "adapter.gguf"));
}

TEST_F(Training, keeps_so_many_checkpoints_and_no_more) {
  auto wanted = settings(12);
  wanted.checkpoint_every = 2;
  const auto folder = order("run", wanted);
  end_at_ = [](const TuneEvent& event) { return event.kind == TuneEventKind::step && event.step == 9; };
  ASSERT_EQ(train(folder), "killed");
  EXPECT_THAT(checkpoints(folder), ElementsAre("step-6.gguf", "step-8.gguf"));
}

TEST_F(Training, does_not_go_on_with_other_rows_or_another_base) {
  const auto folder = order("run", settings(12));
  end_at_ = [](const TuneEvent& event) { return event.kind == TuneEventKind::step && event.step == 3; };
  train(folder, std::chrono::minutes(1));
  auto changed = read_order(folder).value();
  changed.base[0].sha256[0] = changed.base[0].sha256[0] == '0' ? '1' : '0';
  ASSERT_TRUE(write_order(folder, changed));
  EXPECT_THAT(train(folder), HasSubstr("belongs to another run"));
  write_rows(std::string(kRows) + R"({"prompt": "More?", "completion": "More."})");
  EXPECT_THAT(train(folder), HasSubstr("rows.jsonl has changed since run run began"));
}

// ledger: F14
TEST_F(Training, ends_early_with_the_best_when_evaluations_get_no_better) {
  auto wanted = settings(200);
  wanted.learning_rate = 0.05;
  wanted.eval_fraction = 0.4;
  wanted.eval_every = 2;
  wanted.patience = 2;
  wanted.outputs = 1;
  wanted.threads = 1;
  wanted.output_tokens = 4;
  const auto folder = order("run", wanted);
  ASSERT_EQ(train(folder), "finished");
  const auto result = json::decode_text<wire::TuneResult>(bytes_of(folder / "result.json")).value();
  EXPECT_LT(result.steps, 200);
  EXPECT_THAT(result.ended, HasSubstr("2 evaluations without a better loss"));
  EXPECT_EQ(result.best_step, result.steps - 4);
  ASSERT_TRUE(result.report);
  EXPECT_THAT(result.report->outputs, SizeIs(1));
  EXPECT_LE(*result.report->after.loss, *result.report->before.loss);
}

TEST_F(Training, on_a_device_comes_to_the_same_and_says_what_that_did) {
  const auto here = order("here", settings(8));
  ASSERT_EQ(train(here), "finished");
  auto wanted = settings(8);
  wanted.device = "ggml-cpu";
  const auto there = order("there", wanted);
  ASSERT_EQ(train(there), "finished");
  for (std::size_t step = 0; step < 8; ++step) EXPECT_NEAR(losses(there).at(step), losses(here).at(step), 1e-3);
  EXPECT_NE(losses(there), losses(here));  // another order of additions: it was another that computed
  const auto estimate = metrics(there, TuneEventKind::estimate).at(0).estimate.value();
  ASSERT_TRUE(estimate.device);
  EXPECT_GT(estimate.device->memory, 0);
  EXPECT_EQ(estimate.device->work.at(0).place, "ggml-cpu");
  EXPECT_THAT(bytes_of(there / "report.md"), HasSubstr("## Computed on ggml-cpu"));
  EXPECT_FALSE(metrics(here, TuneEventKind::estimate).at(0).estimate->device);
}

TEST_F(Training, on_a_device_that_is_not_here_is_refused_with_those_that_are) {
  auto wanted = settings(8);
  wanted.device = "CUDA7";
  EXPECT_THAT(train(order("run", wanted)), HasSubstr("there is no device 'CUDA7'; there are auto, cpu"));
}

TEST_F(Training, goes_on_with_the_device_that_it_began_with) {
  auto wanted = settings(8);
  wanted.device = "auto";
  const auto folder = order("run", wanted);
  ASSERT_EQ(train(folder), "finished");
  const auto device = read_order(folder)->settings->device.value();
  EXPECT_EQ(device, tune::find_device("auto").value() ? tune::find_device("auto").value()->name : "cpu");
}

// A pair is taken for twice its longer answer, so that more of them go through the model together than were counted on.
TEST_F(Training, compares_long_answers_with_short_ones) {
  std::string rows;
  for (const char prompt : {'a', 'b', 'c', 'd'})
    rows += fmt::format(R"({{"prompt": "{}", "chosen": "{}", "rejected": "no"}})", prompt, std::string(140, prompt)) + "\n";
  write_rows(rows);
  auto wanted = settings(2);
  wanted.method = "dpo";
  wanted.batch_rows = 4;
  EXPECT_EQ(train(order("run", wanted)), "finished");
}

struct MethodRows {
  std::string_view method;
  std::string_view rows;
};
constexpr MethodRows kMethods[] = {
    {"pretrain", R"({"text": "Llamas walk slowly over a high plain while wind moves dry grass."})"},
    {"dpo", R"({"prompt": "Do llamas spit?", "chosen": "Only when they are angry.", "rejected": "Dry grass."})"},
    {"orpo", R"({"prompt": "Do llamas spit?", "chosen": "Only when they are angry.", "rejected": "Dry grass."})"},
    {"kto", R"({"prompt": "Do llamas spit?", "completion": "Only when they are angry.", "label": true}
{"prompt": "Where do llamas live?", "completion": "Dry grass.", "label": false})"},
};

TEST_F(Training, every_method_learns_from_its_rows_and_goes_on_after_a_kill) {
  for (const auto& [method, rows] : kMethods) {
    write_rows(rows);
    auto wanted = settings(30);
    wanted.method = method;
    const auto straight = order(fmt::format("{}-straight", method), wanted);
    ASSERT_EQ(train(straight), "finished") << method;
    EXPECT_LT(losses(straight).back(), losses(straight).front()) << method;
    EXPECT_EQ(metrics(straight, TuneEventKind::step).back().rewards.has_value(), method != "pretrain");
    const auto broken = order(fmt::format("{}-broken", method), wanted);
    end_at_ = [](const TuneEvent& event) { return event.kind == TuneEventKind::checkpoint; };
    ASSERT_EQ(train(broken), "killed") << method;
    ASSERT_EQ(train(broken), "finished") << method;
    EXPECT_EQ(losses(broken), losses(straight)) << method;
  }
}

TEST_F(Training, knows_no_perplexity_of_answers_that_are_compared) {
  write_rows(std::string(R"({"prompt": "a", "chosen": "b", "rejected": "c"})") + "\n" +
             R"({"prompt": "d", "chosen": "e", "rejected": "f"})");
  auto wanted = settings(2);
  wanted.method = "dpo";
  wanted.eval_fraction = 0.5;
  wanted.outputs = 0;
  const auto folder = order("run", wanted);
  ASSERT_EQ(train(folder), "finished");
  const auto result = json::decode_text<wire::TuneResult>(bytes_of(folder / "result.json")).value();
  ASSERT_TRUE(result.report);
  EXPECT_NEAR(*result.report->before.loss, std::log(2.0), 1e-6);  // the base is its own reference
  EXPECT_FALSE(result.report->before.perplexity);
}

TEST_F(Training, answers_sample_prompts_while_it_goes_on) {
  auto wanted = settings(4);
  wanted.sample_prompts = {"Do llamas spit?"};
  wanted.output_tokens = 4;
  wanted.eval_every = 2;
  wanted.threads = 1;
  const auto folder = order("run", wanted);
  ASSERT_EQ(train(folder), "finished");
  const auto samples = metrics(folder, TuneEventKind::sample);
  ASSERT_THAT(samples, SizeIs(3));
  EXPECT_EQ(samples[0].samples->at(0).prompt, "Do llamas spit?");
  EXPECT_FALSE(samples[0].samples->at(0).text.empty());
}

// ledger: F6, F7
TEST_F(Training, a_full_disk_ends_the_run_and_leaves_the_checkpoint_before) {
  auto wanted = settings(12);
  wanted.checkpoint_every = 2;
  const auto folder = order("run", wanted);
  std::filesystem::create_directories(folder / "checkpoints");
  // With room for two of them.
  const auto told = on_small_disk(folder / "checkpoints", "240k",
                                  fmt::format("{} trainer {}; ls {}/checkpoints", PUNA_PROGRAM, folder.string(), folder.string()));
  if (!told) GTEST_SKIP() << "this system gives no file system to a test";
  EXPECT_TRUE(told->contains("disk_full"));
  EXPECT_TRUE(told->contains("\nstep-"));
  EXPECT_FALSE(told->contains("finished"));
}

// ledger: F6
TEST_F(Training, a_disk_that_is_too_small_is_refused_before_work_starts_with_figures) {
  const auto folder = order("run", settings(12));
  const auto disk = folder_.path() / "disk";
  std::filesystem::create_directory(disk);
  const auto told = on_small_disk(
      disk, "20m", fmt::format("cp -r {} {}; {} trainer {}/run", folder.string(), disk.string(), PUNA_PROGRAM, disk.string()));
  if (!told) GTEST_SKIP() << "this system gives no file system to a test";
  EXPECT_TRUE(told->contains("disk_full"));
  EXPECT_TRUE(told->contains("20.0 MiB is free") || told->contains("19.9 MiB is free")) << *told;
  EXPECT_FALSE(told->contains("\"step\":1"));
}

}  // namespace
}  // namespace puna::trainer
