#include "api/openai/recipe.h"

#include <gtest/gtest.h>

namespace puna::api::openai {
namespace {

const wire::Recipe kPirate{
    .system = "Be a pirate.", .messages = {{"user", "Hi"}, {"assistant", "Arr"}}, .parameters = {{"temperature", 0.1}, {"max_tokens", 5}}};

json::object with(Endpoint endpoint, std::string_view body) {
  auto parsed = json::parse_object(body).value();
  apply_recipe(kPirate, endpoint, parsed);
  return parsed;
}

TEST(Recipe, fills_what_a_chat_does_not_say) {
  const auto body = with(Endpoint::chat, R"({"messages":[{"role":"user","content":"Go"}]})");
  EXPECT_EQ(body.at("temperature"), json::value(0.1));
  EXPECT_EQ(body.at("max_tokens"), json::value(5));
  EXPECT_EQ(body.at("messages").get_array().size(), 4u);
  EXPECT_EQ(body.at("messages").at(0).at("content"), json::value("Be a pirate."));
  EXPECT_EQ(body.at("messages").at(3).at("content"), json::value("Go"));
}

TEST(Recipe, gives_way_to_what_a_chat_says) {
  const auto body =
      with(Endpoint::chat,
           R"({"temperature":1,"max_completion_tokens":9,"messages":[{"role":"system","content":"Mine"},{"role":"user","content":"Go"}]})");
  EXPECT_EQ(body.at("temperature"), json::value(1));
  EXPECT_FALSE(body.contains("max_tokens"));
  EXPECT_EQ(body.at("messages").at(0).at("content"), json::value("Mine"));
  EXPECT_EQ(body.at("messages").at(1).at("content"), json::value("Hi"));
  EXPECT_EQ(body.at("messages").get_array().size(), 4u);
}

TEST(Recipe, gives_a_completion_its_parameters_and_embeddings_nothing) {
  EXPECT_EQ(with(Endpoint::completions, R"({"prompt":"x"})").at("temperature"), json::value(0.1));
  EXPECT_EQ(with(Endpoint::embeddings, R"({"input":"x"})").size(), 1u);
}

}  // namespace
}  // namespace puna::api::openai
