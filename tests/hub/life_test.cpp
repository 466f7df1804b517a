// Jobs that are paused, resumed, cancelled, restarted and shared while bytes arrive.
#include <random>

#include "hub_testing.h"

namespace puna::hub {
namespace {

using namespace testing_rig;
using fakes::Role;
using fakes::Served;
using wire::JobState;

class Life : public HubTest {
 protected:
  // Storage answers again, on new connections.
  void let_go() {
    hub->clear_faults();
    hub->break_connections(Role::storage);
  }
  [[nodiscard]] JobState state_of(const wire::Job& job) { return rig->queue->get(job.id)->state; }
};

// ledger: D3
TEST_F(Life, a_restart_goes_on_where_it_was_and_fetches_nothing_twice) {
  offer(model_file(4'000'000));
  const auto job = half_way(model);
  stop();
  let_go();
  const auto before = hub->bytes_sent();
  restart();
  EXPECT_EQ(rig->ended(job).state, JobState::completed);
  EXPECT_GT(before, 4 * 1000U);
  expect_costs({.again = 16 * kPiece, .resolves = 4});
}

TEST_F(Life, a_restart_with_other_pieces_connections_and_another_endpoint_goes_on_too) {
  offer(model_file(4'000'000));
  const auto job = half_way(model);
  stop();
  let_go();
  hub->shut(Role::hub);
  restart({{"transfer.piece", "256k"}, {"transfer.connections", "2"}, {"hub.endpoints", hub->origin(Role::mirror)}});
  EXPECT_EQ(rig->ended(job).state, JobState::completed);
  expect_costs({.again = 16 * kPiece, .resolves = 4});
}

TEST_F(Life, a_pause_stays_over_a_restart_and_costs_nothing) {
  offer(model_file(4'000'000));
  const auto job = half_way(model);
  ASSERT_TRUE(rig->queue->pause(job.id));
  rig->await([&](const wire::Job& now) { return now.id == job.id && now.state == JobState::paused; });
  let_go();
  restart();
  EXPECT_EQ(state_of(job), JobState::paused);
  ASSERT_TRUE(rig->queue->resume(job.id));
  EXPECT_EQ(rig->ended(job).state, JobState::completed);
  expect_costs({.again = 16 * kPiece, .resolves = 4});
}

TEST_F(Life, what_a_cancelled_pull_brought_is_used_by_the_next_one) {
  offer(model_file(4'000'000));
  const auto job = half_way(model);
  ASSERT_TRUE(rig->queue->cancel(job.id));
  EXPECT_EQ(rig->ended(job).state, JobState::cancelled);
  let_go();
  arrives(model, {.again = 16 * kPiece, .resolves = 4});
}

TEST_F(Life, the_same_content_from_two_repositories_is_fetched_once) {
  const auto shared = model_file(2'000'000);
  offer(shared);
  fakes::RepositorySpec twin;
  twin.id = "bob/twin-GGUF";
  twin.files = {fakes::file("twin.Q4_K_M.gguf", shared)};
  ASSERT_TRUE(hub->add(twin));
  start();
  const auto one = rig->submit({.source = model});
  const auto two = rig->submit({.source = "bob/twin-GGUF"});
  EXPECT_EQ(rig->ended(one).state, JobState::completed);
  EXPECT_EQ(rig->ended(two).state, JobState::completed);
  expect_costs({.resolves = 4});
  EXPECT_EQ(rig->blobs().size(), 1U);
}

TEST_F(Life, asking_again_joins_the_job_that_runs) {
  offer();
  const auto job = half_way(model);
  EXPECT_EQ(rig->submit({.source = model}).id, job.id);
  let_go();
  EXPECT_EQ(rig->ended(job).state, JobState::completed);
}

TEST_F(Life, a_storm_of_commands_ends_with_the_right_file) {
  offer(model_file(3'000'000));
  hub->pace(Role::storage, {.rate = 2'000'000});
  start();
  const auto job = rig->submit({.source = model});
  std::minstd_rand dice(7);  // NOLINT(cert-msc51-cpp): the same storm in every run
  for (int i = 0; i < 200; ++i) {
    const auto result = dice() % 2 == 0 ? rig->queue->pause(job.id) : rig->queue->resume(job.id);
    // ignored: most do not fit the state that the job is in
    static_cast<void>(result);
  }
  hub->pace(Role::storage, {});
  // A pause that was asked for last may still come.
  for (int i = 0; i < 100 && !rig->queue->wait(job.id, Milliseconds(100)); ++i)
    if (state_of(job) == JobState::paused) EXPECT_TRUE(rig->queue->resume(job.id));
  EXPECT_EQ(state_of(job), JobState::completed) << json::to_text(json::encode(*rig->queue->get(job.id)));
  EXPECT_EQ(rig->pulled({.source = model}).change, PullChange::unchanged);
}

TEST_F(Life, a_model_removed_while_its_update_arrives_is_the_new_one_afterwards) {
  offer();
  const auto name = arrives(model).name;
  const auto newer = model_file(2'000'000, 2);
  ASSERT_TRUE(hub->commit(std::string(kRepository), {fakes::file(std::string(kModelFile), newer)}));
  const auto job = half_way(model);
  ASSERT_TRUE(rig->library.remove(name));
  let_go();
  EXPECT_EQ(rig->ended(job).state, JobState::completed);
  EXPECT_TRUE(rig->library.find(name));
  EXPECT_EQ(rig->pulled({.source = model}).sha256, newer->sha256());
}

TEST_F(Life, a_download_folder_that_vanishes_ends_in_an_error_or_the_right_file) {
  offer();
  const auto job = half_way(model);
  std::filesystem::remove_all(folder.path() / "cache" / "downloads");
  let_go();
  const auto ended = rig->ended(job);
  if (ended.state != JobState::completed) EXPECT_FALSE(ended.failure->message.empty());
}

}  // namespace
}  // namespace puna::hub
