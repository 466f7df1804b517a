#include "trainer/plan.h"

#include <gtest/gtest.h>

namespace puna::trainer {
namespace {

TEST(Plan, keeps_everything_for_the_way_back_where_a_quarter_of_the_free_memory_is_enough) {
  EXPECT_EQ(recompute_for(gib(2), gib(8)), tune::Recompute::nothing);
  EXPECT_EQ(recompute_for(gib(2) + Bytes(1), gib(8)), tune::Recompute::each_layer);
  EXPECT_EQ(recompute_for(mib(1), Bytes()), tune::Recompute::each_layer);
}

}  // namespace
}  // namespace puna::trainer
