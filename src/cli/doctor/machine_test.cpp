#include "cli/doctor/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace puna::cli {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

Machine laptop() {
  Machine out;
  out.hardware = {.cpu_model = "A CPU",
                  .physical_cores = 8,
                  .logical_cores = 16,
                  .usable_cores = 16,
                  .cpu_features = {"avx2"},
                  .memory_total_bytes = 16ULL << 30U,
                  .memory_available_bytes = 12ULL << 30U};
  out.speed = os::MemorySpeed{.bytes_per_second = 50e9, .threads = 8, .buffer = mib(512)};
  out.compute = wire::Compute{.kernels = "haswell"};
  return out;
}

Machine with_gpu() {
  Machine out = laptop();
  out.compute = wire::Compute{.kernels = "haswell",
                              .devices = {{.name = "CUDA0",
                                           .backend = "CUDA",
                                           .description = "NVIDIA Fake 4090",
                                           .memory_total = 24LL << 30U,
                                           .memory_free = 23LL << 30U}}};
  return out;
}

Settings settings_of(const std::string& key, const std::string& value) {
  return *SettingsStore({.file = {}, .environment = {}, .flags = {{key, value}}}).snapshot();
}

std::vector<Finding> models_for(const Machine& machine) {
  return judge_models(machine, settings_of("models.slots", "4"));
}

auto says(const std::string& text) {
  return Contains(Field(&Finding::text, HasSubstr(text)));
}
auto advises(const std::string& advice) {
  return Contains(Field(&Finding::advice, HasSubstr(advice)));
}

TEST(Machine, recommends_the_largest_model_that_fits_and_says_how_fast_it_can_be) {
  const auto found = models_for(laptop());
  EXPECT_THAT(found, AllOf(says("Qwen/Qwen3-4B-GGUF:Q4_K_M with a context of 8192 tokens"), says("at most 20.0 tokens a second")));
}

TEST(Machine, counts_the_second_copy_of_weights_that_some_processors_keep) {
  auto plain = laptop();
  plain.hardware.cpu_features.clear();
  EXPECT_THAT(models_for(plain), says("Qwen/Qwen3-8B-GGUF:Q4_K_M"));
}

TEST(Machine, names_a_smaller_model_when_the_largest_would_be_slow) {
  auto slow = laptop();
  slow.speed->bytes_per_second = 17e9;
  EXPECT_THAT(models_for(slow), AllOf(says("for a fluent chat take a smaller one"), advises("Qwen3-1.7B")));
}

TEST(Machine, counts_the_memory_of_the_gpu_where_models_run_there) {
  const auto found = models_for(with_gpu());
  EXPECT_THAT(found, says("Qwen3-32B"));
  EXPECT_EQ(found.size(), 1U);
}

TEST(Machine, recommends_for_as_many_slots_and_as_much_of_the_memory_as_the_settings_have) {
  EXPECT_THAT(judge_models(laptop(), settings_of("models.slots", "1")), says("Qwen/Qwen3-4B-GGUF:Q4_K_M with a context of 32768 tokens"));
  EXPECT_THAT(judge_models(laptop(), settings_of("models.memory", "0.5")), says("Qwen/Qwen3-1.7B-GGUF:Q8_0"));
}

TEST(Machine, says_when_nothing_fits) {
  Machine machine = laptop();
  machine.hardware.memory_available_bytes = 512ULL << 20U;
  EXPECT_THAT(models_for(machine), ElementsAre(Field(&Finding::severity, Severity::warning)));
}

TEST(Machine, a_gpu_that_this_build_cannot_use_is_told_with_the_way_out) {
  Machine machine = laptop();
  machine.nvidia = os::NvidiaDriver{.version = "555", .gpus = {{.name = "NVIDIA Fake 4090", .memory_total_bytes = 24ULL << 30U}}};
  EXPECT_THAT(judge_gpus(machine), AllOf(says("this build of Puna cannot compute on it"), advises("./dev build cuda")));
  EXPECT_THAT(judge_gpus(with_gpu()), says("models run there"));
}

TEST(Machine, a_driver_that_does_not_answer_is_told) {
  Machine machine = laptop();
  machine.nvidia = fail(Code::unavailable, "NVIDIA's driver says: mismatch");
  EXPECT_THAT(judge_gpus(machine), says("mismatch"));
}

TEST(Machine, names_the_one_setting_to_change) {
  EXPECT_THAT(judge_settings(with_gpu(), settings_of("models.gpu_layers", "0")), advises("models.gpu_layers -1"));
  EXPECT_THAT(judge_settings(laptop(), settings_of("models.threads", "32")), says("more than the 16 usable cores"));
  EXPECT_THAT(judge_settings(laptop(), settings_of("models.threads", "2")), says("models.threads is 2 of 8 cores"));
  EXPECT_THAT(judge_settings(laptop(), settings_of("models.slots", "2")), says("no setting would make models faster"));
}

}  // namespace
}  // namespace puna::cli
