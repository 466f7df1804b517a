// `puna quantize`, against a scripted daemon.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/cli_testing.h"
#include "wire/job.h"
#include "wire/quantize.h"

namespace puna::cli {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kMiB = 1 << 20;

wire::Job job(wire::JobState state) {
  wire::Job out{.id = "01JOB", .kind = "quantize", .state = state, .progress = {.phase = "quantizing"}};
  if (state == wire::JobState::completed)
    out.result = json::encode(wire::QuantizeResult{.name = "m:q4_0", .level = "Q4_0", .size = kMiB, .source_size = 4 * kMiB});
  if (state == wire::JobState::failed) out.failure = wire::JobFailure{"disk_full", "needs 4 GiB, has 1 GiB"};
  return out;
}

class QuantizeCommand : public WithDaemon {
 protected:
  void does_job(wire::JobState state) {
    on_as("POST /api/v1/models/m%3Af16/quantize", 202, job(wire::JobState::queued));
    on_as("GET /api/v1/jobs/01JOB", 200, job(wire::JobState::running));
    on("GET /api/v1/events", client::stream({client::event("job.updated", json::encode(job(state)))}));
  }
};

TEST_F(QuantizeCommand, says_what_became_of_it) {
  does_job(wire::JobState::completed);
  const auto ran = run_words({"quantize", "m:f16", "q4_0"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.err, HasSubstr("made 'm:q4_0' (1.00 MiB, 25 % of the original)"));
}

TEST_F(QuantizeCommand, a_failed_job_is_its_error_and_exit_code) {
  does_job(wire::JobState::failed);
  const auto ran = run_words({"quantize", "m:f16", "q4_0"});
  EXPECT_NE(ran.code, 0);
  EXPECT_THAT(ran.err, HasSubstr("needs 4 GiB, has 1 GiB"));
}

TEST_F(QuantizeCommand, a_dry_run_shows_the_plan) {
  on_as("POST /api/v1/models/m%3Af16/quantize/plan", 200,
        wire::QuantizePlan{"m:f16", "m:q4_k_m", "Q4_K_M", 4 * kMiB, kMiB, 21, 3, 100 * kMiB, "the usual choice"});
  EXPECT_EQ(run_words({"quantize", "m:f16", "q4_k_m", "--dry-run"}).out,
            "'m:f16' to Q4_K_M as 'm:q4_k_m': the usual choice\n"
            "  weights   4.00 MiB -> 1.00 MiB, with 100 MiB free\n"
            "  tensors   21, of which 3 get another type: their rows do not fit the level's\n");
}

TEST_F(QuantizeCommand, lists_levels_with_sizes_where_a_model_is_named) {
  on_as("GET /api/v1/quantize/levels", 200, wire::QuantizeLevels{{{"Q8_0", 8.5, false, "no loss"}, {"IQ1_S", 2, true, "an experiment"}}});
  EXPECT_EQ(run_words({"quantize", "--levels"}).out,
            "LEVEL   BITS   IMATRIX   ADVICE\n"
            "Q8_0    8.50             no loss\n"
            "IQ1_S   2.00   needed    an experiment\n");
  on_as("GET /api/v1/quantize/levels", 200, wire::QuantizeLevels{{{"Q8_0", 8.5, false, "no loss", kMiB}}});
  EXPECT_THAT(run_words({"quantize", "m", "--levels"}).out, HasSubstr("Q8_0    8.50   1.00 MiB"));
}

TEST_F(QuantizeCommand, without_a_level_says_where_they_are_listed) {
  const auto ran = run_words({"quantize", "m:f16"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("puna quantize --levels"));
}

TEST_F(QuantizeCommand, asks_no_daemon_elsewhere_to_read_a_file_of_this_machine) {
  environment_["PUNA_HOST"] = "http://10.0.0.1:1";
  EXPECT_THAT(run_words({"quantize", "m:f16", "q4_0", "--imatrix", "x.gguf"}).err, HasSubstr("cannot read files of this machine"));
}

}  // namespace
}  // namespace puna::cli
