#include "jobs/record.h"

#include <gtest/gtest.h>

#include <set>

namespace puna::jobs {
namespace {

using wire::JobState;
constexpr std::array kStates = {JobState::queued, JobState::running,   JobState::paused,     JobState::completed,
                                JobState::failed, JobState::cancelled, JobState::interrupted};

// ledger: T2
TEST(JobStates, nothing_follows_an_end_and_every_state_can_reach_one) {
  for (const auto from : kStates) {
    std::set<JobState> next;
    for (const auto to : kStates)
      if (may_follow(from, to)) next.insert(to);
    EXPECT_EQ(next.empty(), wire::is_terminal(from)) << json::enum_name(from);
    EXPECT_EQ(next.contains(JobState::failed), !wire::is_terminal(from)) << json::enum_name(from);
  }
}

TEST(JobStates, only_a_queued_job_begins_to_run) {
  for (const auto from : kStates) EXPECT_EQ(may_follow(from, JobState::running), from == JobState::queued);
}

TEST(JobOnTheWire, credentials_in_request_title_result_and_failure_are_masked) {
  Record record;
  const std::string url = "https://me:hunter2@host/model.gguf";
  record.title = "pull " + url;
  record.request = {{"source", json::encode(url)}, {"mirrors", {json::encode(url)}}};
  record.result = json::encode(url);
  record.failure = json::encode(wire::JobFailure{"unavailable", "cannot reach " + url});
  EXPECT_EQ(json::to_text(json::encode(to_wire(record))).find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace puna::jobs
