#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/address.h"
#include "client/client.h"
#include "client/scripted_daemon_testing.h"
#include "os/temporary_folder.h"

namespace puna::client {
namespace {

using testing::ElementsAre;
using wire::JobState;

class FollowRun : public testing::Test {
 protected:
  void run_is(std::vector<JobState> states) {
    std::vector<Script> scripts;
    for (const auto state : states)
      scripts.push_back(reply_json(200, json::encode(wire::TuneRun{.name = "care", .model = "m", .state = state})));
    daemon_.on("GET /api/v1/tune/runs/care", in_turn(std::move(scripts)));
  }
  // Each call finds a step more, until there are `steps`.
  void metrics_grow_to(std::int64_t steps) {
    std::vector<Script> scripts;
    for (std::int64_t step = 1; step <= steps; ++step) {
      const wire::TuneEvent event{.kind = wire::TuneEventKind::step, .step = step};
      scripts.push_back(reply_json(200, json::encode(wire::TuneMetrics{{event}, step * 100})));
      scripts.push_back(reply_json(200, json::encode(wire::TuneMetrics{{}, step * 100})));
    }
    daemon_.on("GET /api/v1/tune/runs/care/metrics", in_turn(std::move(scripts)));
  }
  Result<wire::TuneRun> follow() {
    return client_.follow_tune("care", [&](const wire::TuneEvent& event) {
      told_.push_back(event.kind == wire::TuneEventKind::phase ? *event.phase : std::to_string(*event.step));
    });
  }
  static std::string progress(const wire::TuneEvent& event) { return client::event("tune.progress", json::encode(event)); }

  os::TemporaryFolder folder_ = os::TemporaryFolder::create().value();
  Address address_{folder_.path() / "puna.sock", std::nullopt};
  ScriptedDaemon daemon_{address_.socket};
  Client client_{address_};
  std::vector<std::string> told_;
};

const std::string kEnded = client::event("job.updated", json::object{{"kind", "tune"}, {"id", "J1"}});

TEST_F(FollowRun, tells_what_was_before_and_what_comes_once_and_in_order) {
  run_is({JobState::running, JobState::completed});
  metrics_grow_to(3);
  const auto news = progress({.kind = wire::TuneEventKind::step, .run = "care", .step = 2});
  const auto others = progress({.kind = wire::TuneEventKind::step, .run = "other", .step = 9});
  daemon_.on("GET /api/v1/events", stream({others, news, kEnded}));
  const auto run = follow();
  ASSERT_TRUE(run) << run.error().text();
  EXPECT_EQ(run->state, JobState::completed);
  EXPECT_THAT(told_, ElementsAre("1", "2", "3"));
}

TEST_F(FollowRun, tells_how_far_a_phase_is_which_no_file_says) {
  run_is({JobState::running, JobState::paused});
  metrics_grow_to(1);
  daemon_.on("GET /api/v1/events", stream({progress({.kind = wire::TuneEventKind::phase, .run = "care", .phase = "reading"}), kEnded}));
  ASSERT_TRUE(follow());
  EXPECT_THAT(told_, ElementsAre("1", "reading"));
}

TEST_F(FollowRun, a_run_that_has_ended_is_told_at_once) {
  run_is({JobState::failed});
  metrics_grow_to(1);
  daemon_.on("GET /api/v1/events", stream({}, Ending::held));
  const auto run = follow();
  ASSERT_TRUE(run) << run.error().text();
  EXPECT_EQ(run->state, JobState::failed);
}

}  // namespace
}  // namespace puna::client
