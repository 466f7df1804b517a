// Shapes: what each row becomes, and what is wrong with it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataset/dataset_testing.h"

namespace puna::dataset {
namespace {

using Names = std::map<std::string, std::string>;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

// The only row of a file of one line.
Row row(std::string_view line, const Options& options = {}) {
  auto rows = DataFolder().rows("x.jsonl", line, options);
  EXPECT_EQ(rows.size(), 1u);
  return rows.empty() ? Row{} : std::move(rows.front());
}

// What is found in a file whose first row is good.
std::vector<std::string> found(std::string_view good, std::string_view line, const Options& options = {}) {
  const auto data = DataFolder().open("x.jsonl", std::string(good) + "\n" + std::string(line), options);
  EXPECT_TRUE(data) << data.error().text();
  return data ? findings(*data) : std::vector<std::string>{};
}

TEST(Alpaca, instruction_and_input_are_asked_and_the_output_is_trained) {
  EXPECT_EQ(script(row(R"({"instruction":"Translate","input":"Hallo","output":"Hello"})")), "user: Translate\n\nHallo | assistant*: Hello");
  EXPECT_EQ(script(row(R"({"instruction":"Greet","input":"","output":"Hi","system":"Be brief","history":[["a","b"]]})")),
            "system: Be brief | user: a | assistant*: b | user: Greet | assistant*: Hi");
}

TEST(ShareGpt, turns_keep_their_order_and_speakers) {
  EXPECT_EQ(script(row(R"({"conversations":[{"from":"system","value":"S"},{"from":"human","value":"a"},{"from":"gpt","value":"b"}]})")),
            "system: S | user: a | assistant*: b");
}

TEST(ShareGpt, a_function_call_is_a_tool_call_and_the_observation_its_result) {
  const auto got = row(R"({"conversations":[{"from":"human","value":"a"},)"
                       R"({"from":"function_call","value":"{\"name\":\"f\",\"arguments\":{\"x\":1}}"},)"
                       R"({"from":"observation","value":"2"},{"from":"gpt","value":"b"}],"tools":"[{\"name\":\"f\"}]"})");
  ASSERT_EQ(got.messages.size(), 4u);
  const auto call = got.messages[1].tool_calls.value_or(json::array{}).at(0).as_object();
  EXPECT_EQ(call.at("function").at("arguments").as_string(), R"({"x":1})");
  EXPECT_EQ(got.messages[2].tool_call_id, std::string(call.at("id").as_string()));
  EXPECT_EQ(json::to_text(got.tools.value_or(json::array{})), R"([{"type":"function","function":{"name":"f"}}])");
}

TEST(Messages, tools_calls_reasoning_and_parts_of_text_are_kept) {
  const auto got =
      row(R"({"tools":[{"type":"function","function":{"name":"f","parameters":{}}}],"messages":[)"
          R"({"role":"developer","content":"S"},{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},)"
          R"({"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},)"
          R"({"role":"tool","tool_call_id":"c1","content":"r"},{"role":"assistant","reasoning_content":"hm","content":"d"}]})");
  ASSERT_EQ(got.messages.size(), 5u);
  EXPECT_EQ(got.messages[1].content, "ab");
  EXPECT_EQ(got.messages[4].reasoning, "hm");
  const auto api = openai_message(got.messages[2]);
  EXPECT_TRUE(api.at("content").is_null());
  EXPECT_EQ(api.at("tool_calls").at(0).at("id").as_string(), "c1");
  EXPECT_EQ(openai_message(got.messages[4]).at("reasoning_content").as_string(), "hm");
}

TEST(Messages, what_is_trained_follows_the_option_and_the_message_comes_first) {
  constexpr auto kLine = R"({"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},)"
                         R"({"role":"user","content":"c"},{"role":"assistant","content":"d"}]})";
  const auto with = [](wire::TrainOn train_on) {
    Options options;
    options.train_on = train_on;
    return options;
  };
  EXPECT_EQ(script(row(kLine, with(wire::TrainOn::completion))), "user: a | assistant*: b | user: c | assistant*: d");
  EXPECT_EQ(script(row(kLine, with(wire::TrainOn::last))), "user: a | assistant: b | user: c | assistant*: d");
  EXPECT_EQ(script(row(kLine, with(wire::TrainOn::all))), "user*: a | assistant*: b | user*: c | assistant*: d");
  const auto own = row(R"({"messages":[{"role":"user","content":"a","train":true},{"role":"assistant","content":"b","weight":0},)"
                       R"({"role":"user","content":"c"},{"role":"assistant","content":"d","weight":0.5}]})");
  EXPECT_EQ(script(own), "user*: a | assistant: b | user: c | assistant*: d");
  EXPECT_EQ(own.messages[3].weight, 0.5);
}

// ledger: F5
TEST(Messages, everything_wrong_with_a_row_is_named_with_its_field) {
  constexpr auto kGood = R"({"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]})";
  EXPECT_THAT(found(kGood, R"({"messages":[{"role":"usr","content":"a"},{"content":"b"},{"role":"assistant","content":" "},"x",)"
                           R"({"role":"user","content":[{"type":"image_url"}]},{"role":"assistant","content":"b","weight":7}]})"),
              UnorderedElementsAre("unknown-role x.jsonl:2 messages[0].role", "missing-field x.jsonl:2 messages[1].role",
                                   "empty-field x.jsonl:2 messages[2].content", "wrong-type x.jsonl:2 messages[3]",
                                   "unsupported-part x.jsonl:2 messages[4].content[0]", "empty-field x.jsonl:2 messages[4].content",
                                   "wrong-type x.jsonl:2 messages[5].weight"));
  EXPECT_THAT(found(kGood, R"({"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b","weight":0}]})"),
              ElementsAre("nothing-trained x.jsonl:2 messages"));
  EXPECT_THAT(
      found(kGood, R"({"messages":[{"role":"user","content":"a"},{"role":"tool","content":"b"},{"role":"assistant","content":"c"}]})"),
      ElementsAre("wrong-order x.jsonl:2 messages[1]"));
  EXPECT_THAT(
      found(
          kGood,
          R"({"messages":[{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{"}}]}]})"),
      testing::Contains("bad-tool-call x.jsonl:2 messages[1].tool_calls[0].arguments"));
}

TEST(Messages, orders_that_some_templates_refuse_are_warnings) {
  constexpr auto kGood = R"({"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]})";
  EXPECT_THAT(found(kGood, R"({"messages":[{"role":"assistant","content":"b"},{"role":"user","content":"a"},{"role":"user","content":"c"},)"
                           R"({"role":"system","content":"s"},{"role":"assistant","content":"b"},{"role":"user","content":"end"}]})"),
              ElementsAre("unusual-order x.jsonl:2 messages[0]", "unusual-order x.jsonl:2 messages[2]",
                          "unusual-order x.jsonl:2 messages[3]", "unusual-order x.jsonl:2 messages"));
}

TEST(TrainOn, where_there_is_nothing_to_choose_it_is_refused) {
  Options options;
  options.train_on = wire::TrainOn::last;
  EXPECT_THAT(DataFolder().open("x.jsonl", R"({"prompt":"a","chosen":"b","rejected":"c"})", options).error().message,
              HasSubstr("train_on: last cannot be chosen for the method dpo"));
  EXPECT_THAT(DataFolder().open("x.txt", "a", options).error().message, HasSubstr("which trains all"));
}

TEST(Messages, roles_of_other_names_can_be_mapped) {
  Options options;
  options.mapping.roles = Names{{"farmer", "user"}, {"vet", "assistant"}};
  EXPECT_EQ(script(row(R"({"messages":[{"role":"farmer","content":"a"},{"role":"vet","content":"b"}]})", options)),
            "user: a | assistant*: b");
  options.mapping.roles = Names{{"farmer", "owner"}};
  EXPECT_THAT(DataFolder().open("x.jsonl", R"({"text":"a"})", options).error().message, HasSubstr("mapping.roles.farmer"));
}

TEST(PromptCompletion, texts_and_lists_of_messages_are_taken) {
  EXPECT_EQ(script(row(R"({"prompt":"a","completion":"b"})")), "user: a | assistant*: b");
  EXPECT_EQ(script(row(R"({"input":"a","output":"b"})")), "user: a | assistant*: b");
  EXPECT_EQ(script(row(R"({"question":"a","answer":"b","system":"S"})")), "system: S | user: a | assistant*: b");
  EXPECT_EQ(script(row(R"({"prompt":[{"role":"user","content":"a"}],"completion":[{"role":"assistant","content":"b"}]})")),
            "user: a | assistant*: b");
}

TEST(PromptCompletion, an_answer_that_is_json_stays_text) {
  EXPECT_EQ(script(row(R"({"prompt":"a","completion":"[{\"b\":1}]"})")), R"(user: a | assistant*: [{"b":1}])");
}

TEST(Summary, a_document_is_asked_to_be_summed_up) {
  const auto got = row(R"({"article":"Long.","summary":"Short."})");
  EXPECT_EQ(script(got), "user: Summarize the following text.\n\nLong. | assistant*: Short.");
  EXPECT_THAT(got.references, ElementsAre("Short."));
}

TEST(Summary, input_and_output_are_one_when_the_task_says_so) {
  Options options;
  options.task = wire::TuneTask::summarization;
  options.instruction = "TL;DR:";
  EXPECT_EQ(script(row(R"({"input":"Long.","output":"Short."})", options)), "user: TL;DR:\n\nLong. | assistant*: Short.");
}

TEST(Summary, an_instruction_for_rows_that_have_none_is_refused) {
  Options options;
  options.instruction = "TL;DR:";
  EXPECT_THAT(DataFolder().open("x.jsonl", R"({"prompt":"a","completion":"b"})", options).error().message, HasSubstr("instruction:"));
}

TEST(Squad, rows_keep_every_answer_and_train_the_first) {
  const auto got =
      row(R"({"context":"Zoë eats hay.","question":"What?","answers":{"text":["hay","eats hay"],"answer_start":[9,4]},"id":"1"})");
  EXPECT_THAT(got.messages[0].content, HasSubstr("Text: Zoë eats hay.\n\nQuestion: What?"));
  EXPECT_EQ(got.messages[1].content, "hay");
  EXPECT_THAT(got.references, ElementsAre("hay", "eats hay"));
  EXPECT_EQ(row(R"({"context":"It is 7.","question":"What?","answer":"7"})").messages[1].content, "7");
}

// ledger: F5
TEST(Squad, an_answer_that_is_not_in_its_context_is_an_error_and_one_elsewhere_a_warning) {
  constexpr auto kGood = R"({"context":"Zoë eats hay.","question":"What?","answers":{"text":["hay"],"answer_start":[9]}})";
  EXPECT_THAT(found(kGood, R"({"context":"Zoë eats hay.","question":"Who?","answers":{"text":["Zoe"],"answer_start":[0]}})"),
              ElementsAre("not-in-context x.jsonl:2 answers"));
  EXPECT_THAT(found(kGood, R"({"context":"Zoë eats hay.","question":"Who?","answers":{"text":["eats"],"answer_start":[5]}})"),
              ElementsAre("span-moved x.jsonl:2 answers"));
}

TEST(Preference, pairs_are_split_into_prompt_and_answers) {
  EXPECT_EQ(script(row(R"({"prompt":"a","chosen":"b","rejected":"c"})")), "user: a + assistant*: b - assistant*: c");
  constexpr auto kLists = R"({"chosen":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}],)"
                          R"("rejected":[{"role":"user","content":"a"},{"role":"assistant","content":"c"}]})";
  EXPECT_EQ(script(row(kLists)), "user: a + assistant*: b - assistant*: c");
  const auto both = std::string(R"({"prompt":"a",)") + std::string(kLists).substr(1);
  EXPECT_EQ(script(row(both)), "user: a + assistant*: b - assistant*: c");
}

// ledger: F5
TEST(Preference, pairs_without_difference_or_common_prompt_are_errors) {
  constexpr auto kGood = R"({"prompt":"a","chosen":"b","rejected":"c"})";
  EXPECT_THAT(found(kGood, R"({"prompt":"a","chosen":"b","rejected":"b"})"), ElementsAre("no-difference x.jsonl:2 rejected"));
  EXPECT_THAT(found(kGood, R"({"prompt":"a","chosen":"b"})"), ElementsAre("missing-field x.jsonl:2 rejected"));
  EXPECT_THAT(found(kGood, R"({"prompt":"z","chosen":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}],)"
                           R"("rejected":[{"role":"user","content":"a"},{"role":"assistant","content":"c"}]})"),
              ElementsAre("prompt-mismatch x.jsonl:2 prompt"));
  EXPECT_THAT(found(kGood, R"({"prompt":null,"chosen":"b","rejected":"c"})"), ElementsAre("prompt-mismatch x.jsonl:2 prompt"));
}

TEST(Labelled, answers_carry_their_judgement) {
  const auto data = DataFolder().rows("x.csv", "prompt,completion,label\na,b,True\na,c,0\n");
  EXPECT_EQ(script(data.at(0)), "user: a + assistant*: b (good)");
  EXPECT_EQ(script(data.at(1)), "user: a + assistant*: c (bad)");
  EXPECT_THAT(found(R"({"prompt":"a","completion":"b","label":true})", R"({"prompt":"a","completion":"b","label":"maybe"})"),
              testing::Contains("wrong-type x.jsonl:2 label"));
}

TEST(Cells, lists_may_stand_in_a_table_as_json) {
  const auto rows = DataFolder().rows(
      "x.csv",
      "messages\n\"[{\"\"role\"\":\"\"user\"\",\"\"content\"\":\"\"a\"\"},{\"\"role\"\":\"\"assistant\"\",\"\"content\"\":\"\"b\"\"}]\"\n");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(script(rows[0]), "user: a | assistant*: b");
}

}  // namespace
}  // namespace puna::dataset
