#include "api/context.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "api/context_fit.h"
#include "api/error_body.h"

namespace puna::api {
namespace {

using wire::Overflow;

// One word a message; a letter says the role: s, u, a, t, and c for an assistant's tool call.
json::array conversation(std::string_view words) {
  json::array out;
  for (std::size_t at = 0; at < words.size();) {
    const std::size_t end = std::min(words.find(' ', at), words.size());
    const auto word = words.substr(at, end - at);
    const std::string_view role = word[0] == 's' ? "system" : word[0] == 'u' ? "user" : word[0] == 't' ? "tool" : "assistant";
    out.push_back({{"role", role}, {"content", word}});
    at = end + 1;
  }
  return out;
}

std::string words(const json::array& messages) {
  std::string out;
  for (const auto& message : messages) out += (out.empty() ? "" : " ") + std::string(std::string_view(message.at("content").get_string()));
  return out;
}

// What is left when the strategy leaves out `count` groups.
std::string left(std::string_view from, Overflow strategy, std::size_t count) {
  const auto messages = conversation(from);
  const auto groups = droppable(messages, strategy);
  EXPECT_LE(count, groups.size());
  return words(without(messages, std::span(groups).first(count)));
}

TEST(Context, shift_leaves_out_the_oldest_turns_and_never_the_instructions) {
  EXPECT_EQ(left("s u1 a1 u2 a2 u3", Overflow::shift, 1), "s u2 a2 u3");
  EXPECT_EQ(left("s u1 a1 u2 a2 u3", Overflow::shift, 2), "s u3");
  EXPECT_EQ(droppable(conversation("s u1 a1 u2 a2 u3"), Overflow::shift).size(), 2u);
}

TEST(Context, a_tools_result_goes_with_its_call) {
  EXPECT_EQ(left("u1 c1 t1 t2 a1 u2", Overflow::shift, 1), "u2");
  EXPECT_EQ(left("u c1 t1 c2 t2 t3 c3 t4", Overflow::shift, 1), "u c2 t2 t3 c3 t4");
  EXPECT_EQ(left("u c1 t1 c2 t2 t3 c3 t4", Overflow::shift, 2), "u c3 t4");
  EXPECT_EQ(left("u c1 s t1 c2 t2", Overflow::shift, 1), "u s c2 t2");
}

TEST(Context, the_last_question_and_the_last_step_stay) {
  EXPECT_TRUE(droppable(conversation("s u"), Overflow::shift).empty());
  EXPECT_TRUE(droppable(conversation("s u c1 t1"), Overflow::shift).empty());
  EXPECT_TRUE(droppable(conversation("s"), Overflow::shift).empty());
  EXPECT_TRUE(droppable(conversation("u1 a1 u2"), Overflow::refuse).empty());
}

TEST(Context, middle_out_keeps_the_first_and_the_last_turn) {
  EXPECT_EQ(left("s u1 a1 u2 a2 u3 a3 u4 a4 u5", Overflow::middle_out, 1), "s u1 a1 u2 a2 u4 a4 u5");
  EXPECT_EQ(left("s u1 a1 u2 a2 u3 a3 u4 a4 u5", Overflow::middle_out, 3), "s u1 a1 u5");
  EXPECT_TRUE(droppable(conversation("u1 a1 u2"), Overflow::middle_out).empty());
}

// A model whose prompts have ten tokens a message, and that sums everything up as "SUM".
class ContextFit : public ::testing::Test {
 protected:
  Result<Fitted> fit(std::string_view messages, Overflow strategy, std::int64_t context, std::int64_t answer = 10) {
    json::object body{{"model", "m"}, {"messages", conversation(messages)}, {"max_tokens", answer}};
    std::optional<Result<Fitted>> out;
    net::asio::io_context network;
    net::asio::co_spawn(
        network, [&]() -> net::Task<void> { out = co_await fit_into_context(std::move(body), strategy, context, tools_); },
        net::asio::detached);
    network.run();
    return std::move(out).value();
  }
  static std::string left_in(const Fitted& fitted) { return words(fitted.body.at("messages").get_array()); }

  int counts_ = 0;
  std::vector<json::object> summarised_;
  ContextTools tools_{.count = [this](const json::object& body) -> net::Task<Result<std::int64_t>> {
                        ++counts_;
                        co_return static_cast<std::int64_t>(10 * body.at("messages").get_array().size());
                      },
                      .answer = [this](json::object body) -> net::Task<Result<std::string>> {
                        summarised_.push_back(std::move(body));
                        co_return "SUM";
                      }};
};

TEST_F(ContextFit, leaves_out_no_more_than_it_must) {
  const auto fitted = fit("s u1 a1 u2 a2 u3 a3 u4", Overflow::shift, 60).value();
  EXPECT_EQ(left_in(fitted), "s u3 a3 u4");
  EXPECT_EQ(fitted.dropped.dropped_messages, 4);
  EXPECT_EQ(fitted.dropped.dropped_tokens, 40);
  EXPECT_EQ(fitted.dropped.strategy, "shift");
}

TEST_F(ContextFit, refuses_with_the_counts_what_cannot_be_made_to_fit) {
  const auto refused = fit("s u1 a1 u2", Overflow::shift, 20);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid_argument);
  for (const auto* count : {"40", "20"}) EXPECT_NE(refused.error().message.find(count), std::string::npos) << refused.error().message;
  EXPECT_EQ(openai_error(refused.error()).at("error").at("code"), "context_length_exceeded");
}

TEST_F(ContextFit, asks_for_few_counts_of_a_long_conversation) {
  std::string many = "s";
  for (int i = 0; i < 500; ++i) many += " u a";
  EXPECT_TRUE(fit(many + " u", Overflow::shift, 1000));
  EXPECT_LE(counts_, 13);
}

TEST_F(ContextFit, puts_a_summary_of_what_is_left_out_into_the_instructions) {
  const auto fitted = fit("s u1 a1 u2 a2 u3 a3 u4", Overflow::summarise, 80).value();
  ASSERT_EQ(summarised_.size(), 1u);
  EXPECT_NE(json::to_text(summarised_[0]).find("user: u1"), std::string::npos);
  EXPECT_EQ(summarised_[0].at("max_tokens"), 10);
  const auto& first = fitted.body.at("messages").at(0).at("content").get_string();
  EXPECT_TRUE(std::string_view(first).starts_with("s\n\n")) << first;
  EXPECT_TRUE(std::string_view(first).ends_with("SUM")) << first;
  EXPECT_EQ(fitted.dropped.strategy, "summarise");
}

}  // namespace
}  // namespace puna::api
