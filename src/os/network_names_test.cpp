#include "os/network_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace puna::os {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(NetworkNames, of_a_host_are_those_that_its_network_knows) {
  EXPECT_THAT(names_of_host("Box"), ElementsAre("box", "box.local"));
  EXPECT_THAT(names_of_host("box.example.org"), ElementsAre("box.example.org", "box", "box.local"));
  EXPECT_THAT(names_of_host("box.local"), ElementsAre("box.local", "box"));
  EXPECT_THAT(names_of_host("localhost"), IsEmpty());
  EXPECT_THAT(names_of_host(""), IsEmpty());
}

TEST(NetworkNames, end_with_this_machines_own_and_stand_once) {
  const auto names = network_names();
  ASSERT_GE(names.size(), 3U);
  EXPECT_EQ(names.back(), "::1");
  EXPECT_EQ(std::set(names.begin(), names.end()).size(), names.size());
}

}  // namespace
}  // namespace puna::os
