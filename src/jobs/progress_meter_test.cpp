#include "jobs/progress_meter.h"

#include <gtest/gtest.h>

namespace puna::jobs {
namespace {

using namespace std::chrono_literals;

const MonotonicTime kStart{1h};

wire::JobProgress at(std::int64_t done, std::string phase = "downloading") {
  return {.done = done, .total = 1000, .unit = "bytes", .phase = phase};
}

TEST(ProgressMeter, never_goes_backward_within_a_phase) {
  ProgressMeter meter;
  meter.report(at(500), kStart);
  meter.report(at(300), kStart + 1s);
  EXPECT_EQ(meter.current()->done, 500);
  meter.report(at(10, "verifying"), kStart + 2s);
  EXPECT_EQ(meter.current()->done, 10);
}

TEST(ProgressMeter, the_first_report_is_due_at_once_and_the_next_one_an_interval_later) {
  ProgressMeter meter;
  EXPECT_FALSE(meter.due());
  meter.report(at(1), kStart);
  EXPECT_LE(*meter.due(), kStart);
  meter.shown(kStart);
  EXPECT_FALSE(meter.due());
  meter.report(at(2), kStart + 1ms);
  EXPECT_EQ(meter.due(), kStart + ProgressMeter::kInterval);
}

TEST(ProgressMeter, works_out_speed_and_remaining_time) {
  ProgressMeter meter;
  for (int second = 0; second <= 4; ++second) meter.report(at(second * 100), kStart + second * 1s);
  EXPECT_NEAR(meter.current()->per_second.value(), 100, 0.001);
  EXPECT_EQ(meter.current()->eta_seconds, 6);
}

TEST(ProgressMeter, a_new_phase_measures_its_speed_anew) {
  ProgressMeter meter;
  for (int second = 0; second <= 4; ++second) meter.report(at(second * 100), kStart + second * 1s);
  meter.report(at(0, "verifying"), kStart + 5s);
  EXPECT_FALSE(meter.current()->per_second);
  EXPECT_FALSE(meter.current()->eta_seconds);
}

TEST(ProgressMeter, keeps_the_speed_that_the_job_knows_better) {
  ProgressMeter meter;
  auto progress = at(100);
  progress.per_second = 450;
  meter.report(progress, kStart);
  EXPECT_EQ(meter.current()->per_second, 450);
  EXPECT_EQ(meter.current()->eta_seconds, 2);
}

}  // namespace
}  // namespace puna::jobs
