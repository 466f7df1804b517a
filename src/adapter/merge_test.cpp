#include "adapter/merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapter/combine.h"
#include "adapter/divergence.h"
#include "gguf/check.h"
#include "gguf/writer.h"
#include "os/file.h"
#include "os/mapped_file.h"
#include "tune/adapter_file.h"
#include "tune/tune_testing.h"

namespace puna::adapter {
namespace {

using gguf::TensorType;
using testing::HasSubstr;
using tiny_model::RandomModel;
using tune::relative_distance;
using tune::TestModel;

// 256 wide, so that every type fits its rows.
RandomModel wide(TensorType type) {
  return {.type = type, .width = 256, .heads = 8, .heads_kv = 4, .head_width = 32, .inner = 256, .vocabulary = 128};
}

class Merged {
 public:
  explicit Merged(const RandomModel& random, std::optional<TensorType> type = {}, const tune::LoraOptions& options = {.rank = 8})
      : base_(random), adapter_(tune::stirred_adapter(base_.model(), options)), row_(tune::random_row(40, random.vocabulary, 3)) {
    const MergeCall call{
        .base = std::span(&base_.file(), 1), .model = base_.model(), .adapter = adapter_, .type = type, .name = "both", .team = team_};
    outcome_ = merge(call, file()).value();
    model_.emplace(tune::Model::open(std::vector{file()}).value());
  }
  [[nodiscard]] std::filesystem::path file() const { return base_.folder() / "merged.gguf"; }
  [[nodiscard]] const TestModel& base() const { return base_; }
  [[nodiscard]] const tune::Adapter& adapter() const { return adapter_; }
  [[nodiscard]] const MergeOutcome& outcome() const { return outcome_; }
  [[nodiscard]] const tune::Model& model() const { return *model_; }
  // By our arithmetic, from what base and adapter say together.
  [[nodiscard]] double distance() const {
    return relative_distance(tune::own_logits(*model_, row_.tokens), tune::own_logits(base_.model(), row_.tokens, &adapter_));
  }
  // By llama.cpp's.
  [[nodiscard]] double distance_by_judge() const {
    const auto adapter = base_.folder() / "adapter.gguf";
    tune::write_adapter(adapter, base_.model(), adapter_).value();
    return relative_distance(tune::Judge(file()).logits(row_.tokens), tune::Judge(base_.file(), adapter).logits(row_.tokens));
  }
  [[nodiscard]] Divergence divergence() {
    return Yardstick::of(team_, {base_.model(), &adapter_}, row_.tokens)->measure(team_, {*model_}).value();
  }

 private:
  tune::Team team_{2};
  TestModel base_;
  tune::Adapter adapter_;
  tune::TokenRow row_;
  MergeOutcome outcome_;
  std::optional<tune::Model> model_;
};

TEST(Merge, says_what_base_and_adapter_say_for_each_architecture) {
  for (const auto* architecture : tune::architectures()) {
    const Merged merged({.architecture = std::string(architecture->name)});
    EXPECT_EQ(merged.outcome().tensors, merged.adapter().pairs().size());
    EXPECT_EQ(merged.outcome().rounding, 0);
    EXPECT_LT(merged.distance(), 1e-5) << architecture->name;
    // llama.cpp looks gelu up in a table of 16-bit numbers, where a last digit may fall to the other side.
    EXPECT_LT(merged.distance_by_judge(), architecture->activation == tune::Activation::gelu ? 2e-3 : 2e-5) << architecture->name;
  }
}

TEST(Merge, differs_by_the_rounding_of_the_type_and_says_by_how_much) {
  for (const auto& [type, most] : {std::pair(TensorType::f16, 0.01), std::pair(TensorType::bf16, 0.1), std::pair(TensorType::q8_0, 0.2),
                                   std::pair(TensorType::q6_k, 0.9), std::pair(TensorType::q4_k, 3.0), std::pair(TensorType::q4_1, 3.0)}) {
    Merged merged(wide(type));
    EXPECT_GT(merged.outcome().rounding, 0) << gguf::traits(type).name;
    EXPECT_LT(merged.outcome().rounding, most) << gguf::traits(type).name;
    EXPECT_LT(merged.distance(), most) << gguf::traits(type).name;
    EXPECT_GT(merged.divergence().kl, 0) << gguf::traits(type).name;
  }
}

TEST(Merge, keeps_more_of_the_adapter_in_wider_tensors) {
  Merged same(wide(TensorType::q4_k));
  Merged wider(wide(TensorType::q4_k), TensorType::f16);
  EXPECT_LT(wider.outcome().rounding, 0.1 * same.outcome().rounding);
  EXPECT_LT(wider.divergence().kl, 0.1 * same.divergence().kl);
  EXPECT_EQ(wider.model().layer(0).linear(tune::Target::attn_q).weight.type, TensorType::f16);
  EXPECT_EQ(wider.model().embedding().type, TensorType::q4_k);
  EXPECT_EQ(wider.model().header().integer("general.file_type"), 1);
}

TEST(Merge, leaves_alone_what_no_adapter_changes) {
  const Merged merged(wide(TensorType::q8_0), {}, {.rank = 4, .targets = {"blk.1.ffn_up"}});
  const auto before = os::MappedFile::open(merged.base().file()).value();
  const auto after = os::MappedFile::open(merged.file()).value();
  const auto& old_header = merged.base().model().header();
  const auto& new_header = merged.model().header();
  for (std::size_t i = 0; i < old_header.tensors().size(); ++i) {
    const auto& was = old_header.tensors()[i];
    const auto& is = new_header.tensors()[i];
    const bool same = std::ranges::equal(before.bytes().subspan(old_header.data_offset() + was.offset, was.size.count),
                                         after.bytes().subspan(new_header.data_offset() + is.offset, is.size.count));
    EXPECT_EQ(same, was.name != "blk.1.ffn_up.weight") << was.name;
  }
  EXPECT_EQ(new_header.metadata().size(), old_header.metadata().size() + 1);
  EXPECT_EQ(new_header.text("general.name"), "both");
  EXPECT_TRUE(gguf::check(merged.file()));
}

TEST(Merge, of_several_adapters_is_that_of_what_they_are_together) {
  const TestModel base;
  std::vector<tune::Adapter> adapters;
  adapters.push_back(tune::stirred_adapter(base.model(), {.rank = 4, .targets = {"attn_q", "ffn_up"}}));
  adapters.push_back(tune::stirred_adapter(base.model(), {.rank = 6, .alpha = 3, .targets = {"attn_q", "blk.1.attn_v"}, .seed = 2}));
  const auto both = combine(base.model(), adapters);
  EXPECT_EQ(both.pairs().size(), 5u);
  EXPECT_EQ(both.find(0, tune::Target::attn_q)->rank, 10u);
  tune::Team team(1);
  auto file = base.file();
  for (const auto& adapter : adapters) {  // one after the other comes to the same
    const auto model = tune::Model::open(std::vector{file}).value();
    const auto next = base.folder() / (file.filename().string() + "+");
    ASSERT_TRUE(merge({.base = std::span(&file, 1), .model = model, .adapter = adapter, .type = {}, .name = "", .team = team}, next));
    file = next;
  }
  const auto row = tune::random_row(20, 256, 1);
  EXPECT_LT(relative_distance(tune::own_logits(base.model(), row.tokens, &both),
                              tune::own_logits(tune::Model::open(std::vector{file}).value(), row.tokens)),
            1e-5);
}

TEST(Merge, of_a_type_that_cannot_be_written_is_refused_and_leaves_nothing) {
  const TestModel base(wide(TensorType::iq3_xxs));
  const auto adapter = tune::stirred_adapter(base.model(), {.rank = 4});
  tune::Team team(1);
  const auto file = base.folder() / "merged.gguf";
  const auto done =
      merge({.base = std::span(&base.file(), 1), .model = base.model(), .adapter = adapter, .type = {}, .name = "", .team = team}, file);
  EXPECT_THAT(done.error().message, HasSubstr("'blk.0.attn_q.weight' is of type IQ3_XXS"));
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(Merge, that_is_stopped_leaves_nothing) {
  const TestModel base;
  const auto adapter = tune::stirred_adapter(base.model(), {.rank = 4});
  tune::Team team(1);
  std::stop_source stop;
  const auto file = base.folder() / "merged.gguf";
  const auto done = merge(
      {.base = std::span(&base.file(), 1), .model = base.model(), .adapter = adapter, .type = {}, .name = "", .team = team}, file,
      [&](Bytes, Bytes) { stop.request_stop(); }, stop.get_token());
  EXPECT_EQ(done.error().code, Code::cancelled);
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(Merge, of_the_real_model_says_what_base_and_adapter_say) {
  const auto file = tune::real_model();
  if (!file) GTEST_SKIP() << "the test models are not here: ./dev setup fetches them";
  const auto model = tune::Model::open(std::span(&*file, 1)).value();
  const auto adapter = tune::stirred_adapter(model, {.rank = 8}, 0.02F);
  tune::Team team(2);
  const auto folder = os::TemporaryFolder::create().value();
  const auto output = folder.path() / "merged.gguf";
  ASSERT_TRUE(
      merge({.base = std::span(&*file, 1), .model = model, .adapter = adapter, .type = TensorType::f16, .name = "", .team = team}, output));
  const auto merged = tune::Model::open(std::vector{output}).value();
  const auto row = tune::random_row(32, model.shape().vocabulary, 1);
  const auto found = Yardstick::of(team, {model, &adapter}, row.tokens)->measure(team, {merged}).value();
  EXPECT_EQ(found.tokens, 32);
  EXPECT_LT(found.kl, 1e-3);
  EXPECT_GT(found.same_choice, 0.9);
}

TEST(Divergence, of_a_model_from_itself_is_none) {
  const TestModel base;
  tune::Team team(1);
  const auto row = tune::random_row(30, 256, 1);
  const auto own = Yardstick::of(team, {base.model()}, row.tokens).value();
  const auto found = own.measure(team, {base.model()}).value();
  EXPECT_EQ(found.kl, 0);
  EXPECT_EQ(found.same_choice, 1);
  const TestModel other({.seed = 2});
  EXPECT_GT(own.measure(team, {other.model()})->kl, 1);
}

}  // namespace
}  // namespace puna::adapter
