#include "cli/tune/sheet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/cli_testing.h"

namespace puna::cli {
namespace {

using testing::HasSubstr;

template <class T>
std::string printed(void (*print)(Stream&, const T&), const T& value, bool colour = false) {
  Captured captured;
  auto console = capturing_console(captured);
  console.out.set_colour(colour);
  print(console.out, value);
  return captured.out;
}

wire::TunePreview one_row() {
  wire::TunePreview out{.model = "m", .report = {.task = "text-generation", .method = "sft"}, .rows = {}};
  out.rows.push_back({.file = "/data/train.jsonl", .line = 7, .tokens = 4, .trained_tokens = 2});
  out.rows[0].pieces = {{1, "<|user|>", 0}, {2, "Hi\n", 0}, {3, "Hay", 1}, {4, "<|end|>", 1}};
  return out;
}

// ledger: F4
TEST(TuneSheet, a_preview_shows_exactly_what_is_trained) {
  EXPECT_THAT(printed(print_preview, one_row()), HasSubstr("train.jsonl:7: 4 tokens, 2 trained\n<|user|>Hi⏎\n[[Hay<|end|>]]\n"));
  EXPECT_THAT(printed(print_preview, one_row(), true), HasSubstr("\033[2m<|user|>Hi⏎\n\033[0m\033[32mHay<|end|>\033[0m\n"));
}

// ledger: F5
TEST(TuneSheet, a_preview_names_the_rows_that_cannot_be_used) {
  auto preview = one_row();
  preview.report.findings.push_back({.kind = "missing-field",
                                     .severity = wire::FindingSeverity::error,
                                     .message = "a field is missing",
                                     .count = 3,
                                     .examples = {{.file = "train.jsonl", .line = 9, .field = "output", .message = "is missing"}}});
  EXPECT_THAT(printed(print_preview, preview),
              HasSubstr("error: a field is missing (3 times)\n  train.jsonl:9 output  is missing\n  and 2 more\n"));
}

TEST(TuneSheet, an_estimate_says_what_to_change_where_it_does_not_fit) {
  wire::TuneEstimate estimate{.model = "m", .rows = 54, .eval_rows = 6, .steps = 21, .memory_total = 8LL << 30, .memory_free = 4LL << 30};
  estimate.memory.push_back({"activations", 6LL << 30});
  estimate.advice.emplace_back("context 512 instead of 2048 saves 3 GiB");
  const auto text = printed(print_estimate, estimate);
  EXPECT_THAT(text, HasSubstr("'m' on 54 rows, 6 kept for evaluation\n"));
  EXPECT_THAT(text, HasSubstr("8.00 GiB of 4.00 GiB that are free\n"));
  EXPECT_THAT(text, HasSubstr("6.00 GiB activations\n"));
  EXPECT_THAT(text, HasSubstr("it does not fit\n  context 512 instead of 2048 saves 3 GiB\n"));
}

TEST(TuneSheet, an_estimate_says_what_a_gpu_does_and_what_not) {
  wire::TuneEstimate estimate;
  estimate.device = {.name = "CUDA0", .description = "NVIDIA Fake", .memory = 3LL << 30, .memory_free = 4LL << 30, .work = {}};
  estimate.device->work = {{"products with weights", "CUDA0", "output", ""}, {"optimizer", "CPU", "", "milliseconds a step"}};
  EXPECT_THAT(printed(print_estimate, estimate), HasSubstr("CUDA0 (NVIDIA Fake): 3.00 GiB of 4.00 GiB that are free\n"
                                                           "  CUDA0    products with weights: output\n"
                                                           "  CPU      optimizer (milliseconds a step)\n"));
}

TEST(TuneSheet, a_report_sets_base_and_tuned_side_by_side) {
  wire::TuneReport report{.rows = 6, .generated = 1, .before = {.loss = 2.5}, .after = {.loss = 0.25, .exact_match = 0.5}, .outputs = {}};
  report.outputs.push_back({.prompt = "What?", .references = {"Hay."}, .before = "I do\nnot know", .after = "Hay."});
  const auto text = printed(print_report, report);
  EXPECT_THAT(text, HasSubstr("SCORE              BASE    TUNED\nloss             2.5000   0.2500\nexact match, %        -     50.0\n"));
  EXPECT_THAT(text, HasSubstr("  asked   What?\n  wanted  Hay.\n  base    I do not know\n  tuned   Hay.\n"));
}

TEST(TuneSheet, a_result_says_how_to_use_it) {
  const wire::TuneResult result{.run = "care",
                                .serves = "m+care",
                                .steps = 20,
                                .loss = 0.125,
                                .best_step = 16,
                                .best_eval_loss = 0.5,
                                .ended = "patience",
                                .seconds = 75};
  EXPECT_EQ(printed(print_result, result),
            "tuned 'care': 20 steps in 1m 15s, loss 0.125, evaluation 0.500 at step 16, which is kept\n"
            "  ended early: patience\n  chat with it: puna run m+care\n");
}

}  // namespace
}  // namespace puna::cli
