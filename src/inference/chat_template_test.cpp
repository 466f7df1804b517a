#include "inference/chat_template.h"

#include <gtest/gtest.h>

#include "inference/inference_testing.h"

namespace puna::inference {
namespace {

const json::array& tools() {
  static const auto array = parsed_array(
      R"([{"type":"function","function":{"name":"look","description":"Looks.","parameters":{"type":"object","properties":{"where":{"type":"string"}}}}}])");
  return array;
}

std::vector<json::array> conversations() {
  return {parsed_array(R"([{"role":"user","content":"Hello there"}])"),
          parsed_array(R"([{"role":"user","content":" a "},{"role":"assistant","content":"b\n"},{"role":"user","content":"ç\n\n"}])"),
          parsed_array(R"([{"role":"system","content":"Be kind."},{"role":"user","content":"a"},
                           {"role":"assistant","content":"b","reasoning_content":"hm"},{"role":"user","content":"c"}])")};
}

// ledger: F4
TEST(ChatTemplate, writes_and_reads_each_prompt_as_the_server_does) {
  const SmallModel model;
  const auto vocabulary = Vocabulary::open(model.file()).value();
  for (const auto& sample : template_samples()) {
    const Served served(model.file(), model.write("template.jinja", sample.source));
    const auto ours = ChatTemplate::create(vocabulary, std::string(sample.source));
    ASSERT_TRUE(ours) << sample.name << ours.error().text();
    for (const auto& messages : conversations()) {
      const auto prompt = ours->render(messages, {}, Ending::answer_follows);
      EXPECT_EQ(prompt.value_or(""), served.prompt(messages)) << sample.name;
      EXPECT_EQ(vocabulary.prompt(prompt.value_or("")), served.tokens(prompt.value_or(""))) << sample.name;
    }
  }
}

TEST(ChatTemplate, of_a_real_model_is_the_servers_with_tools_too) {
  const auto file = real_model();
  if (!file) GTEST_SKIP() << "the test models are not here: ./dev setup fetches them";
  const auto vocabulary = Vocabulary::open(*file).value();
  const auto ours = ChatTemplate::create(vocabulary).value();
  const Served served(*file);
  for (const auto& messages : conversations()) {
    const auto prompt = ours.render(messages, tools(), Ending::answer_follows).value();
    EXPECT_EQ(prompt, served.prompt(messages, tools()));
    EXPECT_EQ(vocabulary.prompt(prompt), served.tokens(prompt));
  }
}

TEST(ChatTemplate, refuses_what_it_does_not_understand_in_its_own_words) {
  const SmallModel model;
  const auto vocabulary = Vocabulary::open(model.file()).value();
  const auto strict = ChatTemplate::create(
      vocabulary,
      "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system here') }}{% endif %}{{ m.content }}{% endfor %}");
  ASSERT_TRUE(strict) << strict.error().text();
  const auto refused =
      strict->render(parsed_array(R"([{"role":"tool","content":"x"},{"role":"system","content":"x"}])"), {}, Ending::complete);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid_argument);
  EXPECT_NE(refused.error().message.find("no system here"), std::string::npos) << refused.error().message;
}

TEST(ChatTemplate, that_does_not_parse_is_refused) {
  const SmallModel model;
  const auto vocabulary = Vocabulary::open(model.file()).value();
  EXPECT_EQ(ChatTemplate::create(vocabulary, "{% for m in %}").error().code, Code::unsupported);
}

}  // namespace
}  // namespace puna::inference
