#include "api/openai/tools.h"

#include <gtest/gtest.h>

namespace puna::api::openai {
namespace {

json::object with_choice(std::string_view choice) {
  return json::parse_object(
             fmt::format(
                 R"({{"tools":[{{"type":"function","function":{{"name":"a"}}}},{{"type":"function","function":{{"name":"b"}}}}],
                                    "tool_choice":{}}})",
                 choice))
      .value();
}
std::string error_of(std::string_view choice) {
  const auto checked = check_tools(with_choice(choice));
  return checked ? "accepted" : checked.error().message;
}

TEST(Tools, a_named_function_is_the_only_one_offered_and_must_be_called) {
  auto body = with_choice(R"({"type":"function","function":{"name":"b"}})");
  ASSERT_TRUE(check_tools(body));
  EXPECT_TRUE(narrow_tools(body));
  EXPECT_EQ(body.at("tool_choice"), json::value("required"));
  EXPECT_EQ(body.at("tools").as_array().size(), 1u);
  EXPECT_EQ(body.at("tools").at(0).at("function").at("name"), json::value("b"));
  EXPECT_EQ(body.at("parallel_tool_calls"), json::value(false));
}

TEST(Tools, allowed_ones_are_offered_alone_in_their_mode) {
  auto body =
      with_choice(R"({"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"a"}}]}})");
  ASSERT_TRUE(check_tools(body));
  EXPECT_TRUE(narrow_tools(body));
  EXPECT_EQ(body.at("tool_choice"), json::value("auto"));
  EXPECT_EQ(body.at("tools").as_array().size(), 1u);
}

TEST(Tools, a_word_leaves_them_as_they_are) {
  auto body = with_choice(R"("required")");
  EXPECT_TRUE(check_tools(body));
  EXPECT_FALSE(narrow_tools(body));
  EXPECT_EQ(body.at("tools").as_array().size(), 2u);
}

TEST(Tools, a_choice_that_nothing_offers_is_refused_by_name) {
  EXPECT_EQ(error_of(R"({"type":"function","function":{"name":"c"}})"), "tool_choice.function.name: 'c' is not among the tools");
  EXPECT_EQ(error_of(R"({"type":"custom","custom":{"name":"a"}})"), "tool_choice.type: only 'function' is supported");
  EXPECT_EQ(error_of(R"({"type":"allowed_tools","allowed_tools":{"mode":"maybe","tools":[]}})"),
            "tool_choice.allowed_tools.mode: 'maybe' is not one of auto, required");
  EXPECT_EQ(error_of(R"("any")"), "tool_choice: 'any' is not one of auto, none, required");
}

}  // namespace
}  // namespace puna::api::openai
