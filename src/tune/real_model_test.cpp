// The whole engine on a model that people use.
#include <gtest/gtest.h>

#include "tune/adapter_file.h"
#include "tune/trainer.h"
#include "tune/tune_testing.h"

namespace puna::tune {
namespace {

class RealModel : public testing::Test {
 protected:
  void SetUp() override {
    file_ = real_model();
    if (!file_) GTEST_SKIP() << "the test models are not here: ./dev setup fetches them";
    model_.emplace(Model::open(std::span(&*file_, 1)).value());
  }
  Trainer trainer() {
    const TrainerOptions options{.lora = {.rank = 16, .alpha = 32},
                                 .schedule = {.rate = 2e-3F, .decay = Decay::constant, .steps = 8},
                                 .pass = {.most_tokens = 64, .longest = 32}};
    return Trainer::create(*model_, team_, options).value();
  }

  std::optional<std::filesystem::path> file_;
  std::optional<Model> model_;
  Team team_{2};
};

TEST_F(RealModel, learns_and_llama_cpp_agrees_about_what) {
  auto run = trainer();
  const std::vector rows = {random_row(32, model_->shape().vocabulary, 1), random_row(32, model_->shape().vocabulary, 2)};
  const std::vector batches = {lay_out(rows)};
  const double before = run.score(batches)->loss;
  for (int step = 0; step < 6; ++step) ASSERT_TRUE(run.step(batches));
  EXPECT_LT(run.score(batches)->loss, before - 2);

  const auto folder = os::TemporaryFolder::create().value();
  const auto adapter = folder.path() / "adapter.gguf";
  ASSERT_TRUE(write_adapter(adapter, *model_, run.adapter()));
  Judge judge(*file_, adapter);
  // llama.cpp rounds activations where the weights are quantized, we do not.
  EXPECT_LT(relative_distance(own_logits(*model_, rows[0].tokens, &run.adapter()), judge.logits(rows[0].tokens)), 5e-2);
}

}  // namespace
}  // namespace puna::tune
