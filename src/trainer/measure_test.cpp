#include "trainer/measure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "inference/inference_testing.h"
#include "os/line_child.h"
#include "os/temporary_folder.h"

namespace puna::trainer {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// What `puna trainer --estimate` tells of a run of the real model.
wire::TuneEstimate estimate_of_real_model(const std::filesystem::path& model, const wire::TuneSettings& settings) {
  const auto folder = os::TemporaryFolder::create().value();
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(model));
  EXPECT_TRUE(write_order(folder.path(),
                          {.name = "run",
                           .request = {.model = "smollm2:135m", .data = {PUNA_TEST_DATA "/llama_care/train.jsonl"}, .settings = settings},
                           .load = model.string(),
                           .base = {{.path = model.string(), .size = size}}}));
  wire::TuneEstimate out;
  const auto hear = [&](std::string_view line) {
    const auto event = json::decode_text<wire::TuneEvent>(line, json::Unknown::ignore);
    if (event && event->estimate) out = *event->estimate;
    if (event && event->error) ADD_FAILURE() << event->error->message;
  };
  const os::LineChild child{
      .argv = {PUNA_PROGRAM, "trainer", "--estimate", folder.path().string()}, .log = folder.path() / "log", .longest_line = mib(1)};
  EXPECT_TRUE(os::run_line_child(child, hear, {}));
  return out;
}

TEST(Estimate, is_within_15_percent_of_the_peak_of_a_real_step) {
  const auto model = inference::real_model();
  if (!model) GTEST_SKIP() << "the real model is not here";
  const auto estimate = estimate_of_real_model(*model, {.batch_rows = 2, .threads = 2});
  ASSERT_GT(estimate.measured.value_or(0), 0);
  EXPECT_NEAR(static_cast<double>(estimate.memory_total), static_cast<double>(*estimate.measured),
              0.15 * static_cast<double>(*estimate.measured));
  EXPECT_TRUE(estimate.fits);
  EXPECT_GT(estimate.seconds.value_or(0), 0);
}

// ledger: F3
TEST(Estimate, a_run_that_does_not_fit_is_refused_with_what_to_change) {
  const wire::TuneEstimate estimate{
      .memory = {{"activations and scratch", 8LL << 30}}, .memory_free = 4LL << 30, .advice = {"set context to 512"}};
  const auto refused = require_memory(estimate);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::out_of_memory);
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr("8.00 GiB"), HasSubstr("4.00 GiB"), HasSubstr("set context to 512")));
}

}  // namespace
}  // namespace puna::trainer
