// `puna push`, against a scripted daemon.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/cli_testing.h"
#include "wire/job.h"
#include "wire/publish.h"

namespace puna::cli {
namespace {

using testing::HasSubstr;

wire::Job job(wire::JobState state, wire::PushChange change = wire::PushChange::created) {
  wire::Job out{.id = "01JOB", .kind = "push", .state = state, .progress = {.phase = "uploading"}};
  if (state == wire::JobState::completed)
    out.result =
        json::encode(wire::PushResult{.destination = "me/m", .url = "https://huggingface.co/me/m", .sent = 1 << 20, .change = change});
  return out;
}

class PushCommand : public WithDaemon {
 protected:
  void does_job(const wire::Job& ended) {
    on_as("POST /api/v1/models/m%3Af16/push", 202, job(wire::JobState::queued));
    on_as("GET /api/v1/jobs/01JOB", 200, job(wire::JobState::running));
    on("GET /api/v1/events", client::stream({client::event("job.updated", json::encode(ended))}));
  }
};

TEST_F(PushCommand, says_where_the_model_is_now) {
  does_job(job(wire::JobState::completed));
  const auto ran = run_words({"push", "m:f16", "me/m", "--private", "-m", "first"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("pushed to me/m (1.00 MiB sent): https://huggingface.co/me/m"));
  EXPECT_EQ(daemon_->asked().front(), R"(POST /api/v1/models/m%3Af16/push {"destination":"me/m","is_private":true,"message":"first"})");
}

TEST_F(PushCommand, says_that_there_was_nothing_to_send) {
  does_job(job(wire::JobState::completed, wire::PushChange::unchanged));
  EXPECT_THAT(run_words({"push", "m:f16", "me/m"}).err, HasSubstr("me/m has it already"));
}

}  // namespace
}  // namespace puna::cli
