#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gguf/raw_file.h"
#include "hub/choice/choose.h"
#include "hub/choice/memory.h"

namespace puna::hub {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Listing repository(const std::vector<std::pair<std::string, std::uint64_t>>& files) {
  Listing out{.reference = parse_reference("owner/repo").value(), .revision = "main", .commit = std::string(40, 'c'), .files = {}};
  for (const auto& [path, size] : files) add_checked(out, {.path = path, .size = Bytes(size), .digest = {}, .role = role_of(path)});
  return out;
}

const Listing kUsual = repository({{"README.md", 10},
                                   {"m-Q4_K_M.gguf", 400},
                                   {"m-Q4_K_S.gguf", 350},
                                   {"m-Q4_K.gguf", 380},
                                   {"m-Q8_0.gguf", 800},
                                   {"m-UD-Q2_K_XL.gguf", 200},
                                   {"BF16/m-BF16-00001-of-00002.gguf", 900},
                                   {"BF16/m-BF16-00002-of-00002.gguf", 700},
                                   {"mmproj-F32.gguf", 90},
                                   {"mmproj-F16.gguf", 50},
                                   {"m.imatrix.gguf", 5}});

Result<Variant> taken(const Listing& listing, std::string_view typed, std::uint64_t memory = 10'000) {
  Wish wish{.filter = {}, .preferred = {"Q4_K_M", "Q4_0", "Q8_0"}, .memory = Bytes(memory)};
  if (!typed.empty()) {
    PUNA_TRY(wish.filter, Filter::parse(typed));
  }
  return choose(listing, variants_of(listing), wish);
}

std::vector<std::string> paths(const Result<Variant>& variant) {
  std::vector<std::string> out;
  EXPECT_TRUE(variant) << variant.error().text();
  if (variant)
    for (const auto& file : variant->files) out.push_back(file.path);
  return out;
}

std::string name(const Listing& listing, std::string_view typed, std::uint64_t memory = 10'000) {
  const auto variant = taken(listing, typed, memory);
  return variant ? variant->name : variant.error().message;
}

// ledger: D7
TEST(Choice, takes_exactly_the_quantization_that_is_named) {
  EXPECT_EQ(name(kUsual, "q4_k_m"), "Q4_K_M");
  EXPECT_EQ(name(kUsual, "Q4_K"), "Q4_K");
  EXPECT_EQ(name(kUsual, "Q2_K_XL"), "UD-Q2_K_XL");
  EXPECT_EQ(name(kUsual, "Q8"), "Q8_0");
  EXPECT_THAT(name(kUsual, "Q4"), HasSubstr("'Q4' may be Q4_K_S (400 B), Q4_K (430 B), Q4_K_M (450 B)"));
}

// ledger: D7
TEST(Choice, of_something_that_is_not_there_lists_what_there_is) {
  const auto missing = taken(kUsual, "Q5_K_M");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::not_found);
  EXPECT_THAT(missing.error().message, HasSubstr("owner/repo has no Q5_K_M; there is UD-Q2_K_XL (250 B), Q4_K_S (400 B)"));
  EXPECT_THAT(name(kUsual, "mmproj-F16.gguf"), HasSubstr("no model by itself"));
  EXPECT_THAT(name(repository({{"pytorch_model.bin", 1}}), ""),
              HasSubstr("holds no GGUF and no safetensors files: it has pytorch_model.bin"));
}

TEST(Choice, takes_the_file_whose_path_is_typed_whatever_else_that_may_mean) {
  const auto listing = repository({{"m-Q4_0.gguf", 1}, {"sub/m-Q4_0.gguf", 1}, {"M-q4_0.gguf", 1}});
  EXPECT_THAT(paths(taken(listing, "m-Q4_0.gguf")), testing::ElementsAre("m-Q4_0.gguf"));
  EXPECT_THAT(paths(taken(listing, "M-q4_0.gguf")), testing::ElementsAre("M-q4_0.gguf"));
  EXPECT_THAT(name(listing, "M-Q4_0.gguf"), HasSubstr("name one of them"));
}

// ledger: D7
TEST(Choice, takes_globs_and_regular_expressions_in_any_case) {
  EXPECT_EQ(name(kUsual, "*q8*"), "Q8_0");
  EXPECT_EQ(name(kUsual, "bf16/*"), "BF16");
  EXPECT_EQ(name(kUsual, "m-q[78]_?.gguf"), "Q8_0");
  EXPECT_EQ(name(kUsual, "/q4_k_m\\.gguf$/"), "Q4_K_M");
  EXPECT_THAT(name(kUsual, "*Q4*"), HasSubstr("name one of them"));
}

// ledger: D7
TEST(Filter, says_where_a_pattern_is_wrong) {
  EXPECT_THAT(Filter::parse("/Q4(_K/").error().message, AllOf(HasSubstr("no regular expression"), HasSubstr("missing")));
  EXPECT_THAT(Filter::parse("/Q4[b-a]/").error().message, HasSubstr("at character 5"));
  EXPECT_THAT(Filter::parse("Q4[ab").error().message, HasSubstr("'[' at character 3"));
  EXPECT_EQ(Filter::parse(std::string(1000, 'x')).error().code, Code::too_large);
  EXPECT_EQ(Filter::parse("  ").error().code, Code::invalid_argument);
}

// ledger: D7
TEST(Filter, takes_its_time_in_proportion_whatever_the_pattern) {
  const std::string path(1000, 'a');
  EXPECT_FALSE(Filter::parse("/(a+)+$b/").value().matches(path));
  EXPECT_FALSE(Filter::parse("*a*a*a*a*a*a*a*a*a*a*a*b").value().matches(path));
}

// ledger: D7
TEST(Choice, brings_along_what_belongs_to_the_weights) {
  EXPECT_THAT(paths(taken(kUsual, "bf16")),
              ElementsAre("BF16/m-BF16-00001-of-00002.gguf", "BF16/m-BF16-00002-of-00002.gguf", "mmproj-F16.gguf"));
  const auto safetensors = repository({{"model-00002-of-00002.safetensors", 1},
                                       {"model-00001-of-00002.safetensors", 1},
                                       {"config.json", 1},
                                       {"tokenizer.json", 1},
                                       {"model.safetensors.index.json", 1},
                                       {"original/consolidated.pth", 1},
                                       {"onnx/tokenizer.json", 1}});
  EXPECT_THAT(paths(taken(safetensors, "")), ElementsAre("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
                                                         "config.json", "tokenizer.json", "model.safetensors.index.json"));
}

// ledger: D7
TEST(Choice, refuses_a_split_set_of_which_a_part_is_missing) {
  const auto torn = repository({{"m-Q8_0-00001-of-00003.gguf", 1}, {"m-Q8_0-00003-of-00003.gguf", 1}});
  EXPECT_THAT(name(torn, "Q8_0"), AllOf(HasSubstr("is not complete"), HasSubstr("of its 3 parts, number 2 is not there")));
}

TEST(Choice, without_a_word_is_the_best_that_fits_into_memory) {
  EXPECT_EQ(name(kUsual, ""), "Q4_K_M");
  EXPECT_EQ(name(kUsual, "", 410), "Q4_K_S");
  EXPECT_EQ(name(kUsual, "", 10), "UD-Q2_K_XL");
  EXPECT_EQ(name(repository({{"x-Q8_0.gguf", 8}, {"x-Q6_K.gguf", 6}}), ""), "Q8_0");
}

TEST(Choice, takes_the_nearest_projector) {
  const auto several = repository({{"a/m-Q4_0.gguf", 1}, {"a/mmproj-Q8_0.gguf", 1}, {"b/n-Q8_0.gguf", 1}, {"b/mmproj-F16.gguf", 1}});
  EXPECT_THAT(paths(taken(several, "Q4_0")), ElementsAre("a/m-Q4_0.gguf", "a/mmproj-Q8_0.gguf"));
}

// ledger: D3
TEST(Listing, leaves_files_with_hostile_names_out) {
  const auto hostile = repository({{"../x.gguf", 1},
                                   {"a/../../b.gguf", 1},
                                   {"C:\\x.gguf", 1},
                                   {"CON", 1},
                                   {"x.gguf.", 1},
                                   {"/abs.gguf", 1},
                                   {"a\nb.gguf", 1},
                                   {"%2e%2e%2fx.gguf", 1},
                                   {"fine-Q4_0.gguf", 1}});
  EXPECT_EQ(hostile.files.size(), 1U);
  EXPECT_EQ(hostile.unsafe_names, 8U);
}

gguf::Header header_of(const gguf::RawFile& file) {
  auto outcome = gguf::Header::parse(file.span(), Bytes(file.bytes().size()));
  return std::get<gguf::Header>(std::move(outcome).value());
}

gguf::RawFile& number(gguf::RawFile& file, std::string_view key, std::uint32_t value) {
  return file.key(key, gguf::ValueType::u32).number(value);
}

TEST(Memory, counts_weights_and_the_cache_for_every_slot) {
  gguf::RawFile file;
  file.preamble(0, 6).architecture();
  number(file, "llama.block_count", 10);
  number(file, "llama.context_length", 8192);
  number(file, "llama.embedding_length", 640);
  number(file, "llama.attention.head_count", 10);
  number(file, "llama.attention.head_count_kv", 5);
  const auto facts = facts_of(header_of(file));
  EXPECT_EQ(facts.cache_per_token, 10 * 5 * (64 + 64) * 2);
  SettingsStore settings({.file = {}, .environment = {}, .flags = {{"models.context", "2048"}, {"models.slots", "2"}}});
  os::HardwareInfo machine;
  machine.memory_total_bytes = 200'000'000;
  machine.memory_available_bytes = 60'000'000;
  const auto need = memory_need(Bytes(20'000'000), facts, *settings.snapshot(), machine);
  EXPECT_EQ(need.total, 20'000'000 + 12'800 * 2048 * 2);
  EXPECT_EQ(need.fit, wire::MemoryFit::fits_when_free);
  EXPECT_EQ(memory_need(Bytes(300'000'000), facts, *settings.snapshot(), machine).fit, wire::MemoryFit::too_large);
  EXPECT_EQ(memory_need(Bytes(1), std::nullopt, *settings.snapshot(), machine).cache, std::nullopt);
}

}  // namespace
}  // namespace puna::hub
