#include "worker/load_plan.h"

#include <gtest/gtest.h>

#include "common.h"
#include "gguf/writer.h"
#include "os/temporary_folder.h"

namespace puna::worker {
namespace {

gguf::Header header(std::uint32_t trained_context, std::optional<std::uint32_t> pooling = std::nullopt) {
  const auto folder = os::TemporaryFolder::create();
  gguf::Writer writer;
  writer.set("general.architecture", std::string("llama"));
  writer.set("llama.context_length", trained_context);
  if (pooling) writer.set("llama.pooling_type", *pooling);
  EXPECT_TRUE(writer.write(folder->path() / "m.gguf"));
  return *gguf::Header::read_file(folder->path() / "m.gguf");
}

ServeArguments asking(std::int64_t context, std::int64_t slots, Mode mode = Mode::generate) {
  return {.model = "/m.gguf", .socket = "/1.sock", .name = "m", .context_length = context, .slots = slots, .mode = mode};
}

const os::HardwareInfo kMachine{.physical_cores = 8, .logical_cores = 16, .usable_cores = 6, .memory_available_bytes = 16ULL << 30U};

TEST(LoadPlan, gives_every_slot_a_context_of_its_own) {
  const auto arguments = asking(1000, 3);
  const auto plan = plan_load(arguments, header(8192), kMachine);
  ASSERT_TRUE(plan);
  const auto parameters = engine_parameters(arguments, *plan, false);
  EXPECT_EQ(parameters.n_ctx, 3000);
  EXPECT_EQ(parameters.kv_unified_per_slot, 1000);
  EXPECT_FALSE(parameters.kv_unified);
  EXPECT_FALSE(parameters.ctx_shift);
}

TEST(LoadPlan, never_exceeds_what_the_model_was_trained_for) {
  EXPECT_EQ(plan_load(asking(100'000, 1), header(8192), kMachine)->context_length, 8192);
  EXPECT_EQ(plan_load(asking(0, 1), header(2048), kMachine)->context_length, 2048);
}

TEST(LoadPlan, refuses_more_tokens_than_the_engine_can_count) {
  const auto plan = plan_load(asking(16'777'216, 256), header(16'777'216), kMachine);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Code::invalid_argument);
}

TEST(LoadPlan, uses_the_physical_cores_that_it_may_use) {
  EXPECT_EQ(plan_load(asking(512, 1), header(512), kMachine)->threads, 6);
  EXPECT_EQ(plan_load(asking(512, 1), header(512), os::HardwareInfo{})->threads, 1);
  auto arguments = asking(512, 1);
  arguments.threads = 3;
  EXPECT_EQ(plan_load(arguments, header(512), kMachine)->threads, 3);
}

TEST(LoadPlan, reads_a_whole_text_in_one_pass_to_embed_it) {
  const auto plan = plan_load(asking(0, 4, Mode::embed), header(2048), kMachine);
  EXPECT_EQ(plan->micro_batch, 2048);
  EXPECT_EQ(plan->batch, plan->micro_batch);
  EXPECT_EQ(plan->pooling, Pooling::mean);
  EXPECT_EQ(plan_load(asking(0, 4, Mode::embed), header(2048, 2), kMachine)->pooling, Pooling::by_model);
}

// ledger: M16
TEST(LoadPlan, sets_the_engine_up_as_it_was_asked) {
  auto arguments = asking(512, 1);
  arguments.batch = 256;
  arguments.cache_type_k = wire::CacheType::q8_0;
  arguments.flash_attention = wire::Switch::off;
  arguments.adapters = {{"/a.gguf", 0.5}};
  const auto parameters = engine_parameters(arguments, *plan_load(arguments, header(512), kMachine), false);
  EXPECT_EQ(parameters.n_batch, 256);
  EXPECT_EQ(parameters.n_ubatch, 256) << "never more than the batch";
  EXPECT_EQ(parameters.cache_type_k, GGML_TYPE_Q8_0);
  EXPECT_EQ(parameters.cache_type_v, GGML_TYPE_F16);
  EXPECT_EQ(parameters.flash_attn_type, LLAMA_FLASH_ATTN_TYPE_DISABLED);
  EXPECT_EQ(parameters.lora_adapters.at(0).scale, 0.5F);
}

TEST(LoadPlan, guesses_ahead_with_a_model_and_with_what_the_context_says) {
  auto arguments = asking(512, 1);
  arguments.speculation = {.draft = "/none.gguf", .ngram = wire::NgramMethod::simple, .ngram_size = 6, .draft_max = 4, .draft_min = 9};
  const auto parameters = engine_parameters(arguments, *plan_load(arguments, header(512), kMachine), false).speculative;
  EXPECT_EQ(parameters.types, (std::vector{COMMON_SPECULATIVE_TYPE_NGRAM_SIMPLE, COMMON_SPECULATIVE_TYPE_DRAFT_SIMPLE}));
  EXPECT_EQ(parameters.ngram_simple.size_n, 6);
  EXPECT_EQ(parameters.ngram_simple.size_m, 4);
  EXPECT_EQ(parameters.draft.mparams.path, "/none.gguf");
  EXPECT_EQ(parameters.draft.n_max, 4);
  EXPECT_EQ(parameters.draft.n_min, 4);
  arguments.mode = Mode::embed;
  EXPECT_FALSE(engine_parameters(arguments, *plan_load(arguments, header(512), kMachine), false).speculative.has_dft());
}

TEST(LoadPlan, bounds_the_prompt_cache_by_the_memory_there_is) {
  EXPECT_EQ(plan_load(asking(512, 1), header(512), kMachine)->prompt_cache, gib(1));
  const os::HardwareInfo large{.physical_cores = 8, .usable_cores = 8, .memory_available_bytes = 512ULL << 30U};
  EXPECT_EQ(plan_load(asking(512, 1), header(512), large)->prompt_cache, gib(2));
}

TEST(LoadPlan, switches_off_what_reaches_beyond_the_model) {
  const auto arguments = asking(512, 1);
  const auto parameters = engine_parameters(arguments, *plan_load(arguments, header(512), kMachine), false);
  EXPECT_TRUE(parameters.offline);
  EXPECT_FALSE(parameters.ui);
  EXPECT_FALSE(parameters.ui_mcp_proxy);
  EXPECT_FALSE(parameters.endpoint_props);
  EXPECT_FALSE(parameters.fit_params);
  EXPECT_TRUE(parameters.server_tools.empty());
  EXPECT_TRUE(parameters.media_path.empty());
  EXPECT_TRUE(parameters.slot_save_path.empty());
}

}  // namespace
}  // namespace puna::worker
