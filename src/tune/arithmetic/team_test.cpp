#include "tune/arithmetic/team.h"

#include <gtest/gtest.h>

#include <latch>
#include <vector>

namespace puna::tune {
namespace {

TEST(Team, does_every_task_of_every_round_once) {
  Team team(4);
  std::vector<std::uint32_t> done(97);
  for (std::size_t round = 0; round < 20'000; ++round)
    team.for_each(1 + round % done.size(), [&](std::size_t task, std::size_t) { ++done[task]; });
  std::uint32_t expected = 0;
  for (std::size_t task = done.size(); task-- > 0;) {
    expected += static_cast<std::uint32_t>(20'000 / done.size() + (task < 20'000 % done.size() ? 1 : 0));
    EXPECT_EQ(done[task], expected) << task;
  }
}

TEST(Team, works_at_the_same_time) {
  Team team(3);
  std::latch all(3);
  team.for_each(3, [&](std::size_t, std::size_t) { all.arrive_and_wait(); });
  EXPECT_TRUE(all.try_wait());
}

TEST(Team, gives_each_thread_memory_of_its_own_that_stays) {
  Team team(2);
  float* const first = team.scratch(0, Team::Use::left, 100);
  EXPECT_NE(team.scratch(1, Team::Use::left, 100), first);
  EXPECT_NE(team.scratch(0, Team::Use::right, 100), first);
  EXPECT_EQ(team.scratch(0, Team::Use::left, 50), first);
}

}  // namespace
}  // namespace puna::tune
