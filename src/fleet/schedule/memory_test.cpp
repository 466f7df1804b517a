#include "fleet/schedule/memory.h"

#include <gtest/gtest.h>

#include <deque>
#include <fstream>

#include "fleet/schedule/memory_book.h"
#include "gguf/writer.h"
#include "os/temporary_folder.h"

namespace puna::fleet {
namespace {

using gguf::TensorType;

// A header with the figures of a small llama-like model, to be changed by each test.
class Memory : public ::testing::Test {
 protected:
  Memory() {
    architecture("llama");
    figure("context_length", 32'768);
  }
  void architecture(const std::string& name) {
    architecture_ = name;
    writer_.set("general.architecture", name);
    figure("block_count", 24);
    figure("embedding_length", 1'024);
    figure("feed_forward_length", 4'096);
    figure("attention.head_count", 16);
    figure("attention.head_count_kv", 4);
    figure("context_length", 32'768);
  }
  void figure(const std::string& name, std::uint32_t value) { writer_.set(architecture_ + "." + name, value); }
  void tensor(const std::string& name, TensorType type, std::vector<std::uint64_t> shape) {
    bytes_.emplace_back(gguf::tensor_size(type, shape)->count);
    ASSERT_TRUE(writer_.add_tensor(name, type, std::move(shape), bytes_.back()));
  }
  MemoryNeed need(const LoadShape& shape) {
    const auto file = folder_.path() / "model.gguf";
    EXPECT_TRUE(writer_.write(file));
    auto header = gguf::Header::read_file(file);
    EXPECT_TRUE(header) << header.error().text();
    std::vector<gguf::Header> parts;
    parts.push_back(std::move(*header));
    return predict(parts, shape);
  }

  os::TemporaryFolder folder_ = *os::TemporaryFolder::create();
  gguf::Writer writer_;
  std::string architecture_;
  std::deque<std::vector<std::byte>> bytes_;
};

TEST_F(Memory, of_keys_and_values_grows_with_heads_context_and_slots) {
  const std::uint64_t values = 24 * 4 * 64 * 2;  // layers, heads for keys, their size, keys and values
  EXPECT_EQ(need({.context_length = 4'096, .slots = 1}).context, Bytes(values * 4'096 * 2));
  EXPECT_EQ(need({.context_length = 4'096, .slots = 4}).context, Bytes(values * 4'096 * 2 * 4));
  EXPECT_EQ(need({.context_length = 4'096, .cache_k = TensorType::q8_0, .cache_v = TensorType::q8_0}).context,
            Bytes(values * 4'096 * 34 / 32));
}

TEST_F(Memory, knows_no_context_beyond_the_models_own) {
  figure("context_length", 2'048);
  EXPECT_EQ(need({.context_length = 8'192}).context, need({.context_length = 0}).context);
  EXPECT_EQ(need({.context_length = 8'192}).context_length, 2'048);
}

TEST_F(Memory, of_layers_with_a_sliding_window_is_that_of_the_window) {
  architecture("gemma3");
  figure("attention.sliding_window", 512);
  const std::uint64_t layer = 4 * 64 * 2 * 2;
  EXPECT_EQ(need({.context_length = 8'192}).context, Bytes(layer * (4 * 8'192 + 20 * 1'024)));  // one in six sees everything
}

TEST_F(Memory, of_layers_that_say_themselves_what_they_see) {
  architecture("newcomer");
  figure("block_count", 2);
  figure("attention.sliding_window", 256);
  writer_.set("newcomer.attention.sliding_window_pattern", std::vector<std::uint8_t>{1, 0});
  EXPECT_EQ(need({.context_length = 8'192}).context, Bytes(4 * 64 * 2 * 2 * (8'192 + 768)));
}

TEST_F(Memory, of_a_recurrent_model_does_not_grow_with_its_context) {
  architecture("mamba");
  figure("ssm.conv_kernel", 4);
  figure("ssm.inner_size", 2'048);
  figure("ssm.state_size", 16);
  EXPECT_EQ(need({.context_length = 8'192, .slots = 2}).context, Bytes(2 * 24 * (3 * 2'048 + 16 * 2'048) * 4));
}

TEST_F(Memory, of_heads_that_differ_by_layer) {
  figure("block_count", 2);
  writer_.set("llama.attention.head_count_kv", std::vector<std::int32_t>{4, 8});
  EXPECT_EQ(need({.context_length = 4'096}).context, Bytes(std::uint64_t{4'096} * (4 + 8) * 64 * 2 * 2));
}

TEST_F(Memory, of_compressed_keys_holds_no_values) {
  architecture("deepseek2");
  figure("attention.head_count_kv", 1);
  figure("attention.key_length", 576);
  figure("attention.value_length", 512);
  figure("attention.key_length_mla", 192);
  EXPECT_EQ(need({.context_length = 4'096}).context, Bytes(std::uint64_t{24} * 4'096 * 576 * 2));
}

TEST_F(Memory, of_weights_counts_the_copy_that_the_kernels_keep) {
  tensor("token_embd.weight", TensorType::q4_0, {1'024, 64});
  tensor("blk.0.ffn_up.weight", TensorType::q4_0, {1'024, 64});
  const Bytes one = *gguf::tensor_size(TensorType::q4_0, {1'024, 64});
  EXPECT_EQ(need({}).weights, one + one);
  EXPECT_EQ(need({.repacked = {TensorType::q4_0}}).weights, one + one + one);
}

TEST_F(Memory, is_that_of_the_file_when_its_header_says_nothing) {
  const auto file = folder_.path() / "script";
  std::ofstream(file) << std::string(1'000, 'x');
  const auto need = predict_launch(Launch{.name = "m", .file = file}, Purpose::generate, {});
  EXPECT_EQ(need.weights, Bytes(1'000));
  EXPECT_EQ(predict_launch(Launch{.name = "m", .file = "/no/such"}, Purpose::generate, {}).total(), Bytes());
}

TEST_F(Memory, that_was_measured_comes_from_the_engine_and_is_no_less_than_what_is_resident) {
  const MemoryExpectation expected{.need = {.weights = mib(100), .context = mib(50), .compute = mib(10), .process = mib(30)}};
  const std::vector<wire::WorkerMemory> engine = {
      {.device = "CPU", .weights = mib(90).count, .context = mib(60).count, .compute = mib(20).count}};
  EXPECT_EQ(MemoryBook::measured(expected, engine, mib(150)).total(), mib(200));
  EXPECT_EQ(MemoryBook::measured(expected, engine, mib(260)).total(), mib(260));
}

TEST_F(Memory, on_a_device_is_not_the_systems) {
  const MemoryExpectation expected{.need = {.process = mib(30)}};
  const std::vector<wire::WorkerMemory> engine = {{.device = "CPU", .compute = mib(20).count},
                                                  {.device = "CUDA0", .weights = gib(4).count}};
  const auto pools = MemoryBook::measured(expected, engine, mib(10)).pools();
  EXPECT_EQ(pools.at(kSystemMemory), mib(50));
  EXPECT_EQ(pools.at("CUDA0"), gib(4));
}

TEST_F(Memory, is_remembered_for_the_same_files_and_settings_only) {
  auto database = store::Database::open(":memory:");
  ASSERT_TRUE(database) << database.error().text();
  const MemoryBook book(&*database);
  const auto file = folder_.path() / "model.gguf";
  EXPECT_TRUE(writer_.write(file));
  const Launch launch{.name = "m", .file = file};
  const auto before = book.expect(launch, Purpose::generate, {});
  EXPECT_FALSE(before.measured);
  ASSERT_TRUE(book.remember(before.print, {.weights = mib(1), .context = mib(2), .devices = {{"CUDA0", mib(1)}}}));
  const auto after = book.expect(launch, Purpose::generate, {});
  EXPECT_TRUE(after.measured);
  EXPECT_EQ(after.need.total(), mib(3));
  EXPECT_EQ(after.need.devices.at("CUDA0"), mib(1));
  EXPECT_FALSE(book.expect(launch, Purpose::generate, {.slots = 7}).measured);
}

}  // namespace
}  // namespace puna::fleet
