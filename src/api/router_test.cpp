#include "api/router.h"

#include <gtest/gtest.h>

namespace puna::api {
namespace {

std::string matched(std::string_view method, std::string_view path) {
  const Router router(routes());
  const auto match = router.match(method, path);
  return match ? std::string(match->route->operation) : match.error().message;
}

TEST(Router, a_parameter_is_one_segment_and_is_decoded) {
  const Router router(routes());
  const auto match = router.match("GET", "/api/v1/models/owner%2Frepo%3AQ4");
  ASSERT_TRUE(match) << match.error().message;
  EXPECT_EQ(match->parameters.at("name"), "owner/repo:Q4");
  EXPECT_FALSE(router.match("GET", "/api/v1/models/"));
  EXPECT_FALSE(router.match("GET", "/api/v1/models/%zz"));
}

TEST(Router, a_fixed_path_is_found_before_a_parameter) {
  EXPECT_EQ(matched("POST", "/api/v1/models/pull"), "pullModel");
}

TEST(Router, an_unknown_path_and_a_wrong_method_are_told_apart) {
  EXPECT_EQ(matched("GET", "/nothing"), "there is no /nothing; /openapi.json lists what there is");
  EXPECT_EQ(matched("DELETE", "/v1/models"), "DELETE is not a method of /v1/models; it has GET");
}

TEST(Router, head_asks_for_what_get_has) {
  EXPECT_EQ(matched("HEAD", "/health"), "health");
}

}  // namespace
}  // namespace puna::api
