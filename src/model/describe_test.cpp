#include "model/describe.h"

#include <cmath>

#include "model/library_test.h"

namespace puna::model {
namespace {

using testing::ElementsAre;

std::vector<gguf::Header> header_with(const std::map<std::string, gguf::Value>& more) {
  const auto folder = os::TemporaryFolder::create().value();
  test::write_model(folder.path() / "m.gguf", 2048, more);
  return {gguf::Header::read_file(folder.path() / "m.gguf").value()};
}

TEST(Describe, a_model_that_writes_text_can_complete_and_one_with_a_template_can_chat) {
  EXPECT_THAT(details_of(header_with({})).capabilities, ElementsAre("completion"));
  EXPECT_THAT(details_of(header_with({{"tokenizer.chat_template", std::string("{{ messages }}")}})).capabilities,
              ElementsAre("completion", "chat"));
}

TEST(Describe, an_encoder_embeds_and_does_not_complete) {
  EXPECT_THAT(details_of(header_with({{"general.architecture", std::string("bert")}})).capabilities, ElementsAre("embedding"));
}

TEST(Describe, an_adapter_or_a_projector_answers_nothing_by_itself) {
  EXPECT_THAT(details_of(header_with({{"general.type", std::string("adapter")}})).capabilities, ElementsAre("adapter"));
  EXPECT_TRUE(details_of(header_with({{"general.type", std::string("mmproj")}})).capabilities.empty());
}

TEST(Describe, a_template_of_its_own_decides_what_a_chat_can) {
  const auto folder = os::TemporaryFolder::create().value();
  test::write_model(folder.path() / "m.gguf", 2048, {{"tokenizer.chat_template", std::string("{{ tools }}")}});
  const std::vector<FileOnDisk> files = {{wire::FileRole::weights, "m.gguf", folder.path() / "m.gguf"}};
  EXPECT_THAT(describe(files, std::nullopt)->capabilities, ElementsAre("completion", "chat", "tools"));
  EXPECT_THAT(describe(files, "{% if enable_thinking %}")->capabilities, ElementsAre("completion", "chat", "thinking"));
}

TEST(Describe, metadata_is_always_valid_json) {
  const auto shown = metadata_of(header_with({{"a.text", std::string("\xff\x1b[2J")},
                                              {"a.infinite", std::numeric_limits<float>::infinity()},
                                              {"a.large", std::numeric_limits<std::uint64_t>::max()},
                                              {"a.flags", std::vector<bool>{true, false}}})[0]);
  const auto again = json::parse_object(json::to_text(shown)).value();
  EXPECT_EQ(again.at("a.infinite"), json::value(nullptr));
  EXPECT_EQ(again.at("a.large"), json::value(std::numeric_limits<std::uint64_t>::max()));
  EXPECT_EQ(again.at("a.flags"), json::value({true, false}));
}

}  // namespace
}  // namespace puna::model
