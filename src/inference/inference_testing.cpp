#include "inference/inference_testing.h"

#include <gtest/gtest.h>

#include <array>

#include "models/tiny_model.h"
#include "os/file.h"
#include "worker/worker_testing.h"

namespace puna::inference {
namespace {

using worker::testing::RunningWorker;

constexpr std::array kSamples = {
    TemplateSample{"marked turns",
                   "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}"
                   "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"},
    TemplateSample{"brackets around the user",
                   "{% for m in messages %}{% if m.role == 'assistant' %}{{ ' ' + m.content + ' </s>' }}"
                   "{% else %}{{ '<s>[INST] ' + m.content + ' [/INST]' }}{% endif %}{% endfor %}"},
    TemplateSample{"no end of a turn",
                   "{% for m in messages %}{{ m.role + ': ' + m.content + '\n\n' }}{% endfor %}"
                   "{% if add_generation_prompt %}{{ 'assistant:' }}{% endif %}"},
    TemplateSample{"an end behind the end",
                   "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}"
                   "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% else %}"
                   "{{ eos_token }}{% endif %}"},
    TemplateSample{"thoughts of the last turn only",
                   "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}{% if m.role == 'assistant' and loop.last %}"
                   "{{ '<think>\n' + (m.reasoning_content or '') + '\n</think>\n\n' }}{% endif %}{{ m.content + '<|im_end|>\n' }}"
                   "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
                   "{% if enable_thinking is defined and not enable_thinking %}{{ '<think>\n\n</think>\n\n' }}{% endif %}{% endif %}"},
    TemplateSample{"thoughts opened by the prompt",
                   "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content.split('</think>')[-1] + '<|im_end|>\n' }}"
                   "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n<think>\n' }}{% endif %}"},
};

}  // namespace

std::span<const TemplateSample> template_samples() {
  return kSamples;
}

std::string sample_template(std::string_view name) {
  for (const auto& sample : kSamples)
    if (sample.name == name) return std::string(sample.source);
  ADD_FAILURE() << "there is no template '" << name << "'";
  return {};
}

SmallModel::SmallModel() {
  EXPECT_TRUE(tiny_model::write(file_, tiny_model::Kind::chat));
}

std::filesystem::path SmallModel::write(const std::string& name, std::string_view text) const {
  EXPECT_TRUE(os::write_file_atomic(folder_.path() / name, text));
  return folder_.path() / name;
}

std::optional<std::filesystem::path> real_model() {
  const std::filesystem::path file = std::filesystem::path(PUNA_TEST_MODELS) / "SmolLM2-135M-Instruct.Q4_1.gguf";
  return std::filesystem::exists(file) ? std::optional(file) : std::nullopt;
}

Served::Served(const std::filesystem::path& model, const std::filesystem::path& chat_template) {
  std::vector<std::string> options = {"--context", "2048"};
  if (!chat_template.empty()) options.insert(options.end(), {"--chat-template-file", chat_template.string()});
  worker_ = std::make_unique<RunningWorker>(model, options);
  EXPECT_EQ(worker_->outcome().report, wire::WorkerReport::ready) << worker_->log();
}

Served::~Served() = default;

std::string Served::prompt(const json::array& messages, const json::array& tools) const {
  json::object body{{"messages", messages}};
  if (!tools.empty()) body["tools"] = tools;
  const auto reply = worker_->post("/apply-template", json::to_text(body));
  if (reply.status != 200) return {};
  return std::string(std::string_view(json::parse_object(reply.body)->at("prompt").get_string()));
}

std::vector<Token> Served::tokens(std::string_view prompt) const {
  const auto reply =
      worker_->post("/tokenize", json::to_text(json::object{{"content", prompt}, {"add_special", true}, {"parse_special", true}}));
  std::vector<Token> out;
  const auto body = json::parse_object(reply.body);
  EXPECT_TRUE(body) << reply.body;
  for (const auto& token : body->at("tokens").get_array()) out.push_back(token.to_number<Token>());
  return out;
}

json::array parsed_array(std::string_view text) {
  return json::parse(text).value().get_array();
}

}  // namespace puna::inference
