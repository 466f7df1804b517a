#include "cli/chat/parameters.h"

#include <gtest/gtest.h>

namespace puna::cli {
namespace {

std::string error_of(std::string_view name, std::string_view value) {
  json::object parameters;
  const auto set = set_parameter(parameters, name, value);
  return set ? "accepted" : set.error().message;
}

TEST(ChatParameters, keep_their_kind) {
  json::object parameters;
  ASSERT_TRUE(set_parameter(parameters, "temperature", "0"));
  ASSERT_TRUE(set_parameter(parameters, "seed", "42"));
  ASSERT_TRUE(set_parameter(parameters, "num_predict", "10"));
  EXPECT_TRUE(parameters.at("temperature").is_double());
  EXPECT_EQ(parameters.at("seed"), json::value(42));
  EXPECT_EQ(parameters.at("max_tokens"), json::value(10));
}

TEST(ChatParameters, stop_texts_add_up) {
  json::object parameters;
  ASSERT_TRUE(set_parameter(parameters, "stop", "\n"));
  ASSERT_TRUE(set_parameter(parameters, "stop", "END"));
  EXPECT_EQ(json::to_text(parameters.at("stop")), R"(["\n","END"])");
}

TEST(ChatParameters, are_refused_with_the_bound_or_the_nearest_name) {
  EXPECT_EQ(error_of("top_p", "1.5"), "top_p: '1.5' is not a number from 0 to 1");
  EXPECT_EQ(error_of("seed", "x"), "seed: 'x' is not a whole number from -1 to 4294967295");
  EXPECT_EQ(error_of("temperatur", "1"), "unknown parameter 'temperatur'; did you mean temperature?");
  EXPECT_TRUE(error_of("num_ctx", "8192").contains("puna config set models.context 8192")) << error_of("num_ctx", "8192");
}

}  // namespace
}  // namespace puna::cli
