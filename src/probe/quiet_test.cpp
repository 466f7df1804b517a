#include "probe/quiet.h"

#include <gtest/gtest.h>

#include <future>

namespace puna::probe {
namespace {

using wire::WorkerState;

constexpr std::chrono::seconds kSoon{30};

wire::RunningModel worker(WorkerState state) {
  return {.name = "m", .state = state, .pid = 1, .predicted_bytes = 100};
}

TEST(Quiet, is_when_no_worker_works_and_nobody_waits) {
  EXPECT_TRUE(is_quiet({}));
  EXPECT_TRUE(is_quiet({worker(WorkerState::ready), worker(WorkerState::failed)}));
  for (const auto state : {WorkerState::starting, WorkerState::loading, WorkerState::busy, WorkerState::draining, WorkerState::stopping})
    EXPECT_FALSE(is_quiet({worker(WorkerState::ready), worker(state)}));
  auto waited_for = worker(WorkerState::ready);
  waited_for.queued_requests = 1;
  EXPECT_FALSE(is_quiet({waited_for}));
}

TEST(Quiet, counts_what_was_measured_before_what_was_predicted) {
  auto measured = worker(WorkerState::ready);
  measured.measured_bytes = 70;
  EXPECT_EQ(held_by({worker(WorkerState::ready), measured}), Bytes(170));
}

TEST(Yielding, asks_to_stop_when_a_worker_begins_to_work_and_not_when_one_rests) {
  EventBus events;
  std::stop_source stopping;
  std::promise<void> stopped;
  const std::stop_callback told(stopping.get_token(), [&] { stopped.set_value(); });
  const Yielding yielding(events, stopping);
  events.publish_as("worker.state", worker(WorkerState::ready));
  events.publish("model.added", {});
  EXPECT_FALSE(stopping.stop_requested());
  events.publish_as("worker.state", worker(WorkerState::busy));
  EXPECT_EQ(stopped.get_future().wait_for(kSoon), std::future_status::ready);
}

TEST(Yielding, ends_with_its_object_when_nothing_happens) {
  EventBus events;
  std::stop_source stopping;
  {
    const Yielding yielding(events, stopping);
  }
  EXPECT_FALSE(stopping.stop_requested());
}

}  // namespace
}  // namespace puna::probe
