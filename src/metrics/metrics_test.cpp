#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metrics/recorder.h"

namespace puna::metrics {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string page_of(const Recorder& recorder) {
  TextPage page;
  recorder.write(page);
  return page.take();
}

TEST(TextPage, writes_labels_that_no_name_can_break_out_of) {
  TextPage page;
  page.family("puna_x", Kind::gauge, "Help.");
  page.sample({{"model_name", "a\"b\\c\nd"}}, 1.5);
  EXPECT_EQ(page.take(), "# HELP puna_x Help.\n# TYPE puna_x gauge\npuna_x{model_name=\"a\\\"b\\\\c\\nd\"} 1.5\n");
}

TEST(TextPage, sums_buckets_up) {
  static constexpr std::array kBounds = {0.1, 1.0};
  Histogram histogram(kBounds);
  for (const double value : {0.05, 0.1, 0.5, 7.0}) histogram.observe(value);
  TextPage page;
  page.family("h", Kind::histogram, "Help.");
  page.histogram({}, histogram);
  const auto text = page.take();
  EXPECT_THAT(text, HasSubstr("h_bucket{le=\"0.1\"} 2\nh_bucket{le=\"1\"} 3\nh_bucket{le=\"+Inf\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("h_sum 7.65\nh_count 4\n"));
}

// ledger: M18
TEST(Recorder, counts_requests_and_their_tokens_and_times) {
  Recorder recorder;
  recorder.ended({.model = "m",
                  .outcome = "answered",
                  .tokens_in = 10,
                  .tokens_cached = 4,
                  .tokens_out = 11,
                  .waited = Milliseconds(5),
                  .first_token = Milliseconds(30),
                  .writing_ms = 200,
                  .total = Milliseconds(300)});
  const auto page = page_of(recorder);
  for (const auto* line :
       {"puna_requests_total{model_name=\"m\",outcome=\"answered\"} 1", "puna_prompt_tokens_total{model_name=\"m\"} 10",
        "puna_prompt_tokens_cached_total{model_name=\"m\"} 4", "puna_generation_tokens_total{model_name=\"m\"} 11",
        "puna_time_to_first_token_seconds_sum{model_name=\"m\"} 0.03", "puna_time_per_output_token_seconds_sum{model_name=\"m\"} 0.02",
        "puna_e2e_request_latency_seconds_count{model_name=\"m\"} 1", "puna_request_queue_time_seconds_sum{model_name=\"m\"} 0.005"})
    EXPECT_THAT(page, HasSubstr(std::string(line) + "\n"));
}

TEST(Recorder, counts_loads_ends_and_failures_once) {
  using wire::WorkerState;
  Recorder recorder;
  const auto goes = [&](WorkerState state, std::optional<wire::WorkerFailure> failure = std::nullopt) {
    recorder.changed({.name = "m", .purpose = "generate", .state = state, .failure = std::move(failure)});
  };
  for (const auto state : {WorkerState::starting, WorkerState::loading, WorkerState::ready, WorkerState::busy, WorkerState::ready,
                           WorkerState::stopping, WorkerState::stopped, WorkerState::starting})
    goes(state);
  goes(WorkerState::failed, wire::WorkerFailure{.fault = wire::WorkerFault::crashed});
  const auto page = page_of(recorder);
  EXPECT_THAT(page, HasSubstr("puna_model_loads_total{model_name=\"m\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("puna_model_unloads_total{model_name=\"m\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("puna_model_failures_total{model_name=\"m\",fault=\"crashed\"} 1\n"));
}

TEST(Recorder, keeps_a_bounded_number_of_models_apart) {
  Recorder recorder;
  for (int i = 0; i < 1000; ++i) recorder.ended({.model = fmt::format("m{}", i), .outcome = "refused"});
  const auto page = page_of(recorder);
  EXPECT_THAT(page, HasSubstr("puna_requests_total{model_name=\"other\",outcome=\"refused\"} 800\n"));
  EXPECT_THAT(page, Not(HasSubstr("m999")));
}

}  // namespace
}  // namespace puna::metrics
