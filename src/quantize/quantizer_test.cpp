#include "quantize/quantizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <condition_variable>
#include <fstream>
#include <mutex>

#include "gguf/reader.h"
#include "gguf/writer.h"
#include "model/library.h"
#include "models/tiny_model.h"
#include "os/disk.h"
#include "os/file.h"
#include "os/place_file.h"
#include "os/process.h"
#include "os/sha256.h"
#include "os/temporary_folder.h"
#include "quantize/levels.h"

namespace puna::quantize {
namespace {

using testing::Contains;
using testing::HasSubstr;
using wire::JobState;

constexpr Milliseconds kSoon{60'000};

// A library with the tiny model "tiny:f32", a queue, and a quantizer whose children are the program itself, or a script.
class Quantizing : public testing::Test {
 protected:
  Quantizing() {
    add("tiny:f32", [](const auto& file) { return tiny_model::write(file, tiny_model::Kind::chat); });
  }

  void add(const std::string& name, const std::function<Result<>(const std::filesystem::path&)>& write) {
    const auto file = folder_.path() / "new.gguf";
    ASSERT_TRUE(write(file));
    const auto hash = os::sha256_of(os::read_file(file, gib(1)).value()).value();
    ASSERT_TRUE(os::place_file(file, library_.blob_path(hash).value()));
    ASSERT_TRUE(library_.add({.name = name, .files = {{.path = "new.gguf", .sha256 = hash}}, .provenance = {.catalogue = "file"}}));
    std::filesystem::remove(file);
  }
  // In place of the program; `text` is a shell script.
  void replace_program(std::string_view text) {
    program_ = folder_.path() / "program";
    std::ofstream(program_) << "#!/bin/sh\n" << text << "\n";
    std::filesystem::permissions(program_, std::filesystem::perms::owner_all);
  }
  Quantizer& quantizer() {
    if (!quantizer_)
      quantizer_ = std::make_unique<Quantizer>(QuantizerParts{
          .settings = settings_, .library = library_, .program = program_, .folder = working_, .require_space = require_space_});
    return *quantizer_;
  }
  jobs::Queue& queue() {
    if (!queue_) {
      queue_ = std::make_unique<jobs::Queue>(database_, events_, settings_, std::vector{quantizer().job_spec()});
      EXPECT_TRUE(queue_->start());
    }
    return *queue_;
  }
  Result<wire::Job> submit(std::string level, std::string model = "tiny:f32") {
    return quantizer().submit(queue(), model, {.level = std::move(level)});
  }
  wire::Job run(std::string level, std::string model = "tiny:f32") {
    const auto job = submit(std::move(level), std::move(model));
    EXPECT_TRUE(job) << job.error().text();
    return queue().wait(job.value().id, kSoon).value();
  }
  // Every progress that was published of the job.
  std::vector<wire::JobProgress> progress_of(const wire::Job& job) const {
    std::vector<wire::JobProgress> out;
    for (const auto& event : events_.since(0, 100000).events)
      if (event->type == "job.updated")
        if (const auto seen = json::decode<wire::Job>(event->data).value(); seen.id == job.id) out.push_back(seen.progress);
    return out;
  }
  void await(const std::function<bool()>& happened) {
    std::mutex mutex;
    std::condition_variable published;
    const auto subscription = events_.subscribe([&] {
      const std::lock_guard lock(mutex);
      published.notify_all();
    });
    std::unique_lock lock(mutex);
    EXPECT_TRUE(published.wait_for(lock, kSoon, happened));
  }
  void await_phase(const wire::Job& job, std::string_view phase) {
    await([&] { return std::ranges::any_of(progress_of(job), [&](const auto& seen) { return seen.phase == phase; }); });
  }
  bool left_something() const { return std::filesystem::exists(working_) && !std::filesystem::is_empty(working_); }

  os::TemporaryFolder folder_ = os::TemporaryFolder::create().value();
  std::filesystem::path program_ = PUNA_PROGRAM;
  std::filesystem::path working_ = folder_.path() / "models" / "quantizing";
  std::function<Result<>(const std::filesystem::path&, Bytes)> require_space_ = os::require_disk_space;
  store::Database database_ = store::Database::open(":memory:").value();
  EventBus events_;
  SettingsStore settings_{{.flags = {{"models.threads", "1"}}}};
  model::Library library_ = model::Library::open(database_, events_, folder_.path() / "models").value();
  std::unique_ptr<Quantizer> quantizer_;
  std::unique_ptr<jobs::Queue> queue_;
};

// ledger: T8
TEST_F(Quantizing, adds_a_smaller_model_with_its_provenance) {
  const auto job = run("q8_0");
  ASSERT_EQ(job.state, JobState::completed) << job.failure->message;
  const auto result = json::decode<wire::QuantizeResult>(*job.result).value();
  EXPECT_EQ(result.name, "tiny:q8_0");
  EXPECT_LT(result.size, result.source_size / 2);
  const auto model = library_.find("tiny:q8_0").value();
  EXPECT_EQ(model.details.quantization, "Q8_0");
  EXPECT_EQ(model.sha256, result.sha256);
  EXPECT_EQ(model.provenance.catalogue, "quantize");
  EXPECT_EQ(model.provenance.repository, "tiny:f32");
  EXPECT_FALSE(left_something());
}

TEST_F(Quantizing, tells_how_many_bytes_of_the_source_are_done) {
  replace_program(R"(case "$*" in
    *--plan-only*) echo '{"finished":true}' ;;
    *) echo '{"tensor":"token_embd.weight"}'; echo '{"tensor":"blk.0.attn_q.weight"}'; exec sleep 600 ;;
  esac)");
  const auto job = submit("q8_0").value();
  const auto header = gguf::Header::read_file(library_.show("tiny:f32")->path).value();
  Bytes total, first;
  for (const auto& tensor : header.tensors()) {
    total += tensor.size;
    if (tensor.name == "token_embd.weight") first = tensor.size;
  }
  await([&] {
    const auto last = queue().get(job.id)->progress;
    return last.phase == "quantizing" && last.unit == "bytes" && last.done == std::int64_t(first.count) && last.total == total.count;
  });
  EXPECT_TRUE(queue().cancel(job.id));
}

TEST_F(Quantizing, plans_to_the_byte_what_it_then_writes) {
  for (const std::string level : {"q8_0", "q5_1", "q4_k_m"}) {
    const auto plan = quantizer().plan("tiny:f32", {.level = level}).value();
    const auto result = json::decode<wire::QuantizeResult>(*run(level).result).value();
    EXPECT_NEAR(static_cast<double>(plan.size), static_cast<double>(result.size), 256) << level;
    EXPECT_EQ(plan.fallbacks > 0, level != "q8_0") << level;  // its rows are too short for K types, which the others mix in
  }
}

TEST_F(Quantizing, refuses_at_once_what_cannot_work) {
  const auto code = [&](std::string model, wire::QuantizeRequest request) {
    return quantizer().submit(queue(), model, request).error().code;
  };
  EXPECT_EQ(code("nobody", {.level = "q8_0"}), Code::not_found);
  EXPECT_EQ(code("tiny:f32", {.level = "q9"}), Code::invalid_argument);
  EXPECT_EQ(code("tiny:f32", {.level = "iq2_xs"}), Code::invalid_argument);
  EXPECT_EQ(code("tiny:f32", {.level = "q8_0", .name = "a b"}), Code::invalid_argument);
  EXPECT_EQ(code("tiny:f32", {.level = "q8_0", .name = "tiny:f32"}), Code::already_exists);
  EXPECT_EQ(code("tiny:f32", {.level = "q8_0", .imatrix = "/nowhere"}), Code::not_found);
  EXPECT_EQ(code("tiny:f32", {.level = "q8_0", .imatrix = "here"}), Code::invalid_argument);
}

TEST_F(Quantizing, takes_a_quantized_source_only_when_told_to) {
  ASSERT_EQ(run("q8_0").state, JobState::completed);
  const auto refused = submit("q4_0", "tiny:q8_0").error();
  EXPECT_EQ(refused.code, Code::unsupported);
  EXPECT_THAT(refused.message, HasSubstr("--requantize"));
  EXPECT_EQ(submit("q8_0", "tiny:q8_0").error().code, Code::conflict);
  const auto job = quantizer().submit(queue(), "tiny:q8_0", {.level = "q4_0", .requantize = true}).value();
  EXPECT_EQ(queue().wait(job.id, kSoon)->state, JobState::completed);
}

// ledger: T8
TEST_F(Quantizing, refuses_a_disk_that_is_too_small_before_it_writes) {
  require_space_ = [](const std::filesystem::path&, Bytes needed) {
    return fail(Code::disk_full, fmt::format("needs {}, has nothing", format_bytes(needed)));
  };
  const auto job = run("q8_0");
  EXPECT_EQ(job.failure->code, "disk_full");
  EXPECT_THAT(progress_of(job), Not(Contains(testing::Field(&wire::JobProgress::phase, "quantizing"))));
  EXPECT_FALSE(left_something());
}

// ledger: T8
TEST_F(Quantizing, ends_its_child_and_removes_what_it_wrote_when_it_is_cancelled) {
  replace_program(R"(case "$*" in
    *--plan-only*) echo '{"finished":true}' ;;
    *) while [ "$1" != --output ]; do shift; done; echo half >"$2"; echo '{"tensor":"token_embd.weight"}'; exec sleep 600 ;;
  esac)");
  const auto job = submit("q8_0").value();
  await_phase(job, "quantizing");
  const auto begun = std::chrono::steady_clock::now();
  ASSERT_TRUE(queue().cancel(job.id));
  EXPECT_EQ(queue().wait(job.id, kSoon)->state, JobState::cancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
  EXPECT_FALSE(left_something());
}

// ledger: T8
TEST_F(Quantizing, a_killed_child_is_a_failure_that_says_so) {
  replace_program(R"(case "$*" in
    *--plan-only*) echo '{"finished":true}' ;;
    *) kill -9 $$ ;;
  esac)");
  const auto job = run("q8_0");
  EXPECT_EQ(job.state, JobState::failed);
  EXPECT_EQ(job.failure->code, "out_of_memory");
  EXPECT_THAT(job.failure->message, HasSubstr("killed from outside"));
  EXPECT_FALSE(left_something());
}

TEST_F(Quantizing, a_crashed_child_is_a_failure_with_its_last_words) {
  replace_program("echo 'ggml.c:1: assertion failed' >&2; exit 134");
  EXPECT_THAT(run("q8_0").failure->message, HasSubstr("assertion failed"));
  replace_program(R"(echo '{"report":"failure","fault":"out_of_memory","message":"no memory"}'; kill -6 $$)");
  EXPECT_EQ(run("q5_0").failure->code, "out_of_memory");
}

TEST_F(Quantizing, a_result_that_does_not_load_is_not_added) {
  replace_program(R"(case "$*" in
    *--try*) echo '{"error":{"code":"corrupt_data","message":"it loads, but what it computes are no numbers"}}'; exit 1 ;;
    *--output*) while [ "$1" != --output ]; do shift; done; echo half >"$2"; echo '{"finished":true}' ;;
    *) echo '{"finished":true}' ;;
  esac)");
  EXPECT_EQ(run("q8_0").failure->code, "corrupt_data");
  EXPECT_EQ(library_.find("tiny:q8_0").error().code, Code::not_found);
  EXPECT_FALSE(left_something());
}

TEST_F(Quantizing, the_next_start_removes_what_an_end_without_warning_left) {
  std::filesystem::create_directories(working_ / "old");
  std::ofstream(working_ / "old" / "model.gguf") << "half";
  quantizer();
  EXPECT_FALSE(left_something());
}

TEST_F(Quantizing, lists_levels_with_the_size_that_a_model_would_have) {
  const auto all = quantizer().levels("tiny:f32").value().levels;
  ASSERT_EQ(all.size(), levels().size());
  EXPECT_GT(all.front().size, all.back().size);
  EXPECT_FALSE(quantizer().levels("").value().levels.front().size);
  EXPECT_EQ(quantizer().levels("nobody").error().code, Code::not_found);
}

// A llama whose rows fit every level, with weights of zero.
Result<> write_wide_model(const std::filesystem::path& file) {
  constexpr std::uint32_t kWidth = 256;
  static const std::vector<std::byte> zeros(static_cast<std::size_t>(kWidth) * kWidth * 2);
  gguf::Writer writer;
  writer.set("general.architecture", std::string("llama"));
  writer.set("general.file_type", std::uint32_t{1});
  for (const auto& [key, value] : std::map<std::string, std::uint32_t>{{"context_length", 512},
                                                                       {"embedding_length", kWidth},
                                                                       {"block_count", 1},
                                                                       {"feed_forward_length", kWidth},
                                                                       {"attention.head_count", 4},
                                                                       {"vocab_size", kWidth}})
    writer.set("llama." + key, value);
  writer.set("llama.attention.layer_norm_rms_epsilon", 1e-5F);
  for (const std::string name : {"token_embd", "output", "blk.0.attn_q", "blk.0.attn_k", "blk.0.attn_v", "blk.0.attn_output",
                                 "blk.0.ffn_up", "blk.0.ffn_down", "blk.0.ffn_gate"})
    PUNA_CHECK(writer.add_tensor(name + ".weight", gguf::TensorType::f16, {kWidth, kWidth}, zeros));
  return writer.write(file);
}

TEST_F(Quantizing, llama_cpp_agrees_on_every_level_and_on_which_ones_need_an_importance_matrix) {
  add("wide:f16", write_wide_model);
  const auto file = library_.show("wide:f16")->path;
  for (const auto& level : levels()) {
    auto process = os::Process::spawn({.argv = {PUNA_PROGRAM, "worker", "--quantize", file, "--output", (folder_.path() / "out").string(),
                                                "--file-type", std::to_string(level.file_type), "--threads", "1"},
                                       .environment = os::child_environment()});
    EXPECT_EQ(process.value().wait(kSoon)->ok(), !level.needs_imatrix) << level.name;
  }
}

}  // namespace
}  // namespace puna::quantize
