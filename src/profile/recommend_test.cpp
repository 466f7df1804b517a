#include "profile/recommend.h"

#include <gmock/gmock.h>

#include "gguf/writer.h"
#include "os/temporary_folder.h"

namespace puna::profile {
namespace {

using ::testing::HasSubstr;

// Llama's shape with 8 billion parameters: 128 KiB of cache for each token at f16.
std::vector<gguf::Header> header(std::uint32_t trained = 131'072) {
  const auto folder = os::TemporaryFolder::create().value();
  gguf::Writer writer;
  writer.set("general.architecture", std::string("llama"));
  writer.set("llama.context_length", trained);
  writer.set("llama.block_count", 32U);
  writer.set("llama.embedding_length", 4096U);
  writer.set("llama.attention.head_count", 32U);
  writer.set("llama.attention.head_count_kv", 8U);
  EXPECT_TRUE(writer.write(folder.path() / "m.gguf"));
  std::vector<gguf::Header> out;
  out.push_back(gguf::Header::read_file(folder.path() / "m.gguf").value());
  return out;
}

Machine machine(std::uint64_t available_gib) {
  return {.hardware = {.physical_cores = 8, .logical_cores = 16, .usable_cores = 16, .memory_available_bytes = available_gib << 30U},
          .devices = {}};
}

const Candidate kEightBillion{.name = "m", .files = gib(5)};

// ledger: M16
TEST(Recommendation, says_why_for_each_line) {
  const auto out = recommend(kEightBillion, header(), machine(64)).value();
  EXPECT_EQ(out.settings.context, 32'768);
  EXPECT_EQ(out.settings.slots, 4);
  EXPECT_EQ(out.settings.threads, 8);
  EXPECT_FALSE(out.settings.gpu_layers);
  EXPECT_FALSE(out.settings.cache_type_k);
  ASSERT_EQ(out.reasons.size(), 3U);
  EXPECT_THAT(out.reasons[0].reason, HasSubstr("16.0 GiB beside 5.00 GiB of weights; longer prompts take minutes"));
}

// ledger: F1
TEST(Recommendation, never_asks_for_what_is_not_there) {
  for (const std::uint64_t available : {7, 8, 9, 10, 12, 16, 24, 32, 48, 64, 128}) {
    const auto out = recommend(kEightBillion, header(), machine(available));
    ASSERT_TRUE(out) << available;
    EXPECT_LE(out->memory_bytes, static_cast<std::int64_t>(available << 30U)) << available;
  }
}

TEST(Recommendation, gives_up_slots_before_precision_and_precision_before_context) {
  const auto roomy = recommend(kEightBillion, header(), machine(12)).value().settings;
  EXPECT_EQ(roomy.slots, 4);
  EXPECT_GE(*roomy.context, 8192);
  const auto tight = recommend({.name = "m", .files = gib(5) + mib(600)}, header(), machine(7)).value().settings;
  EXPECT_EQ(tight.slots, 1);
  EXPECT_EQ(tight.cache_type_v, wire::CacheType::q8_0);
  EXPECT_EQ(tight.context, 8192);
  EXPECT_EQ(tight.flash_attention, wire::Switch::on);
}

TEST(Recommendation, says_the_sum_when_nothing_fits) {
  const auto out = recommend(kEightBillion, header(), machine(4));
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, Code::out_of_memory);
  EXPECT_THAT(out.error().message, HasSubstr("5.00 GiB of weights + 128 MiB for 1024 tokens"));
}

TEST(Recommendation, is_no_longer_than_the_model_was_trained_for) {
  const auto out = recommend(kEightBillion, header(4096), machine(64)).value();
  EXPECT_EQ(out.settings.context, 4096);
  EXPECT_THAT(out.reasons[0].reason, HasSubstr("trained for no more"));
}

// ledger: F1
TEST(Recommendation, uses_a_gpu_and_what_fits_there) {
  auto with_gpu = machine(64);
  with_gpu.devices = {
      {.name = "CUDA0", .backend = "CUDA", .description = "a GPU", .memory_total = 24LL << 30U, .memory_free = 24LL << 30U}};
  const auto fits = recommend(kEightBillion, header(), with_gpu).value();
  EXPECT_EQ(fits.settings.gpu_layers, -1);
  EXPECT_LE(fits.memory_bytes, 24LL << 30U);
  const auto partly = recommend({.name = "m", .files = gib(40)}, header(), with_gpu).value();
  EXPECT_EQ(partly.settings.gpu_layers, -1);
  EXPECT_THAT(partly.reasons.back().reason, HasSubstr("the others run on the processor"));
}

}  // namespace
}  // namespace puna::profile
