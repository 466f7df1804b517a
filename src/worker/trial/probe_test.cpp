// `puna worker --probe`, as the daemon runs it.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/text.h"
#include "gguf/writer.h"
#include "models/tiny_model.h"
#include "os/file.h"
#include "os/process.h"
#include "os/temporary_folder.h"
#include "wire/probe.h"

namespace puna::worker {
namespace {

using testing::HasSubstr;
using tiny_model::Kind;
using wire::ProbeOutcome;

constexpr std::chrono::seconds kPatience{60};

// As models of the Qwen family think.
constexpr std::string_view kThinkingTemplate =
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' }}"
    "{% if message['role'] == 'assistant' and message['reasoning_content'] %}{{ '<think>\\n' + message['reasoning_content'] + "
    "'\\n</think>\\n\\n' }}{% endif %}{{ message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% if enable_thinking is defined and enable_thinking is false %}"
    "{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}{% endif %}";

class Probe : public testing::Test {
 protected:
  wire::ProbeLine last_line(std::vector<std::string> words) const {
    words.insert(words.begin(), {PUNA_PROGRAM, "worker"});
    const auto told = folder_.path() / "told";
    const os::UniqueFd file(::open(told.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    auto process = os::Process::spawn({.argv = words, .environment = os::child_environment(), .stdout_fd = file.get()});
    EXPECT_TRUE(process.value().wait(kPatience));
    const auto text = os::read_file(told, mib(1)).value();
    return json::decode_text<wire::ProbeLine>(split(trim(text), '\n').back(), json::Unknown::ignore).value();
  }
  wire::ModelProbe probe(Kind kind, std::vector<std::string> more = {}) const {
    EXPECT_TRUE(tiny_model::write(model_, kind));
    more.insert(more.begin(), {"--probe", model_.string()});
    const auto line = last_line(std::move(more));
    EXPECT_TRUE(line.finished.value_or(false)) << json::to_text(json::encode(line));
    return line.findings.value();
  }
  wire::ModelProbe probe_with_template(std::string_view text) const {
    const auto file = folder_.path() / "t.jinja";
    std::ofstream(file) << text;
    return probe(Kind::chat, {"--chat-template-file", file.string()});
  }

  os::TemporaryFolder folder_ = os::TemporaryFolder::create().value();
  std::filesystem::path model_ = folder_.path() / "model.gguf";
};

TEST_F(Probe, a_chat_model_loads_writes_embeds_and_takes_system_messages) {
  const auto found = probe(Kind::chat);
  for (const auto* finding : {&found.loads, &found.writes, &found.embeds, &found.chat, &found.system})
    EXPECT_EQ(finding->outcome, ProbeOutcome::passed) << finding->note.value_or("");
  EXPECT_EQ(found.tools.outcome, ProbeOutcome::absent);
  EXPECT_EQ(found.tool_calls.outcome, ProbeOutcome::absent);
  EXPECT_EQ(found.thinking.outcome, ProbeOutcome::absent);
}

TEST_F(Probe, calls_as_a_template_with_tools_writes_them_are_understood) {
  const auto found = probe(Kind::tools);
  EXPECT_EQ(found.tools.outcome, ProbeOutcome::passed);
  EXPECT_EQ(found.tool_calls.outcome, ProbeOutcome::passed) << found.tool_calls.note.value_or("");
}

TEST_F(Probe, a_template_that_offers_tools_and_writes_no_calls_does_not_work) {
  const auto found = probe_with_template(
      "{% if tools %}{{ tools | tojson }}{% endif %}{% for message in messages %}{{ message['role'] + ': ' + (message['content'] or '') + "
      "'\\n' }}{% endfor %}{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}");
  EXPECT_EQ(found.tools.outcome, ProbeOutcome::passed);
  EXPECT_EQ(found.tool_calls.outcome, ProbeOutcome::failed);
}

TEST_F(Probe, thoughts_are_told_from_the_answer) {
  const auto found = probe_with_template(kThinkingTemplate);
  EXPECT_EQ(found.chat.outcome, ProbeOutcome::passed) << found.chat.note.value_or("");
  EXPECT_EQ(found.thinking.outcome, ProbeOutcome::passed) << found.thinking.note.value_or("");
  EXPECT_FALSE(found.thinking.note) << *found.thinking.note;
}

TEST_F(Probe, a_broken_template_is_a_finding_and_the_rest_is_tried_all_the_same) {
  const auto found = probe_with_template("{% for message in messages %}{{ message.content }}{% endif %}");
  EXPECT_EQ(found.chat.outcome, ProbeOutcome::failed);
  EXPECT_FALSE(found.chat.note.value_or("").empty());
  EXPECT_EQ(found.tools.outcome, ProbeOutcome::absent);
  EXPECT_EQ(found.writes.outcome, ProbeOutcome::passed);
}

TEST_F(Probe, a_template_that_forgets_the_question_does_not_work) {
  const auto found = probe_with_template("{{ 'Hello' }}");
  EXPECT_EQ(found.chat.outcome, ProbeOutcome::failed);
  EXPECT_THAT(found.chat.note.value_or(""), HasSubstr("does not get into the prompt"));
}

TEST_F(Probe, a_model_of_vectors_embeds_and_does_not_write) {
  for (const auto kind : {Kind::embedding, Kind::reranker}) {
    const auto found = probe(kind);
    EXPECT_EQ(found.loads.outcome, ProbeOutcome::passed);
    EXPECT_EQ(found.writes.outcome, ProbeOutcome::absent);
    EXPECT_EQ(found.embeds.outcome, ProbeOutcome::passed) << found.embeds.note.value_or("");
    EXPECT_EQ(found.chat.outcome, ProbeOutcome::absent);
  }
}

TEST_F(Probe, without_the_weights_the_template_is_tried_alone) {
  const auto found = probe(Kind::chat, {"--load", "no"});
  EXPECT_EQ(found.chat.outcome, ProbeOutcome::passed);
  EXPECT_EQ(found.loads.outcome, ProbeOutcome::untried);
}

TEST_F(Probe, a_file_that_does_not_load_is_a_finding) {
  gguf::Writer writer;
  writer.set("general.architecture", std::string("no-such-architecture"));
  static const std::vector<std::byte> weights(32 * 4);
  writer.add_tensor("token_embd.weight", gguf::TensorType::f32, {32}, weights).value();
  writer.write(model_).value();
  const auto line = last_line({"--probe", model_.string()});
  EXPECT_EQ(line.findings->loads.outcome, ProbeOutcome::failed);
  EXPECT_THAT(line.findings->loads.note.value_or(""), HasSubstr("llama.cpp does not load it"));
}

}  // namespace
}  // namespace puna::worker
