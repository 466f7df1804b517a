#include "cli/doctor/tiers.h"

#include <gmock/gmock.h>

#include "fleet/schedule/memory.h"
#include "gguf/writer.h"
#include "os/temporary_folder.h"

namespace puna::cli {
namespace {

// What the makers publish of each tier's shape.
struct Shape {
  std::uint32_t layers = 0, width = 0, inner = 0, heads = 0;
};
constexpr std::array kShapes = {Shape{28, 1024, 3072, 16},  Shape{28, 2048, 6144, 16},  Shape{36, 2560, 9728, 32},
                                Shape{36, 4096, 12288, 32}, Shape{40, 5120, 17408, 40}, Shape{64, 5120, 25600, 64}};
constexpr std::uint32_t kTrained = 40'960;
constexpr std::size_t kVocabulary = 151'936;

// The header that such a file has, without its tensors.
std::vector<gguf::Header> headers(const Shape& shape) {
  const auto folder = os::TemporaryFolder::create().value();
  gguf::Writer writer;
  writer.set("general.architecture", std::string("qwen3"));
  writer.set("qwen3.context_length", kTrained);
  writer.set("qwen3.block_count", shape.layers);
  writer.set("qwen3.embedding_length", shape.width);
  writer.set("qwen3.feed_forward_length", shape.inner);
  writer.set("qwen3.attention.head_count", shape.heads);
  writer.set("qwen3.attention.head_count_kv", 8U);
  writer.set("qwen3.attention.key_length", 128U);
  writer.set("qwen3.attention.value_length", 128U);
  writer.set("tokenizer.ggml.tokens", std::vector<std::string>(kVocabulary));
  EXPECT_TRUE(writer.write(folder.path() / "m.gguf"));
  std::vector<gguf::Header> out;
  out.push_back(gguf::Header::read_file(folder.path() / "m.gguf").value());
  return out;
}

TEST(Tiers, grow_in_every_respect) {
  for (std::size_t i = 1; i < tiers().size(); ++i) {
    EXPECT_LT(tiers()[i - 1].weights, tiers()[i].weights);
    EXPECT_LE(tiers()[i - 1].cache_of_token, tiers()[i].cache_of_token);
  }
}

TEST(Tiers, more_memory_never_means_less_context) {
  for (const auto& tier : tiers())
    EXPECT_LE(context_that_fits(tier, need_of(tier, kLeastContext, {}), {}),
              context_that_fits(tier, need_of(tier, 3 * kLeastContext, {}), {}));
}

// ledger: M16
TEST(Tiers, need_what_the_fleet_will_predict_and_little_more) {
  ASSERT_EQ(tiers().size(), kShapes.size());
  for (std::size_t i = 0; i < kShapes.size(); ++i)
    for (const std::int64_t context : {kLeastContext, std::int64_t{32'768}}) {
      SCOPED_TRACE(tiers()[i].model);
      const auto predicted = fleet::predict(headers(kShapes[i]), {.context_length = context, .slots = 4});
      const Bytes without_weights = need_of(tiers()[i], context, {.slots = 4}) - tiers()[i].weights;
      EXPECT_GE(without_weights, predicted.total());
      EXPECT_LE(without_weights, predicted.total() + mib(300));
      EXPECT_EQ(Bytes(tiers()[i].cache_of_token.count * 4 * static_cast<std::uint64_t>(context)), predicted.context);
    }
}

// Beside the weights a copy of some of them at most.
TEST(Tiers, count_a_second_copy_where_the_fleet_may) {
  const Loading loading{.copies_four_bits = true};
  for (const auto& tier : tiers()) {
    const Bytes more = need_of(tier, kLeastContext, loading) - need_of(tier, kLeastContext, {});
    EXPECT_EQ(more, tier.four_bits ? tier.weights : Bytes());
  }
  const auto copied = fleet::repacked_types({"avx2"});
  EXPECT_THAT(copied, testing::Contains(gguf::TensorType::q4_k));
  EXPECT_THAT(copied, testing::Not(testing::Contains(gguf::TensorType::q8_0)));
  EXPECT_TRUE(fleet::repacked_types({}).empty());
}

}  // namespace
}  // namespace puna::cli
