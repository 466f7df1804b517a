#include "fleet/admission.h"

#include <gtest/gtest.h>

namespace puna::fleet {
namespace {

TEST(Admission, refuses_a_model_larger_than_the_memory_there_is_and_shows_the_sum) {
  EXPECT_TRUE(admit(gib(4), gib(4)));
  const auto refused = admit(gib(6), gib(4));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::out_of_memory);
  EXPECT_EQ(refused.error().message, "its file takes 6.00 GiB in memory and 4.00 GiB are available: 2.00 GiB too little");
}

TEST(Admission, says_which_file_is_missing) {
  const auto refused = admit_files({"/no/such/model.gguf"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::not_found);
  EXPECT_NE(refused.error().message.find("/no/such/model.gguf"), std::string::npos);
}

}  // namespace
}  // namespace puna::fleet
