#include "inference/chat_template.h"

#include <fmt/format.h>

#include <exception>
#include <optional>

#include "base/text.h"
#include "chat.h"
#include "llama.h"

namespace puna::inference {

// Most templates are rendered alike with and without the analysis that tells the server how to read answers. It takes a hundred times as
// long as the rendering, so it is left out where some conversations show no difference.
enum class Way : std::uint8_t { as_server, plain };

struct ChatTemplate::Parts {
  common_chat_templates_ptr templates;
  bool thinks = false;
  ThinkingTags tags;
  common_chat_parser_params parser;  // of answers to a chat without tools
  bool parallel_calls = false;
  Way way = Way::as_server;
};

namespace {

common_json to_engine(const json::array& in) {
  return common_json::parse(json::to_text(in));
}

common_chat_params apply(const common_chat_templates* templates, bool thinks, bool parallel_calls, const json::array& messages,
                         const json::array& tools, Ending ending, Way way) {
  common_chat_templates_inputs inputs;
  inputs.messages = common_chat_msgs_parse_oaicompat(to_engine(messages));
  inputs.tools = common_chat_tools_parse_oaicompat(tools.empty() ? common_json() : to_engine(tools));
  inputs.add_generation_prompt = ending == Ending::answer_follows;
  inputs.parallel_tool_calls = parallel_calls;
  inputs.reasoning_format = COMMON_REASONING_FORMAT_DEEPSEEK;
  inputs.enable_thinking = thinks;
  inputs.force_pure_content = way == Way::plain;
  return common_chat_templates_apply(templates, inputs);
}

struct Probe {
  json::array messages;
  json::array tools;
  Ending ending;
};

json::object said(std::string_view role, std::string_view content) {
  return {{"role", role}, {"content", content}};
}

// Every part that a template can treat in its own way.
std::vector<Probe> probes() {
  const json::array tools = {
      {{"type", "function"},
       {"function", {{"name", "look"}, {"description", "Looks."}, {"parameters", {{"type", "object"}, {"properties", json::object()}}}}}}};
  json::object call = said("assistant", "");
  call["tool_calls"] = json::array{{{"id", "call00001"}, {"type", "function"}, {"function", {{"name", "look"}, {"arguments", "{}"}}}}};
  json::object result = said("tool", "seen");
  result["tool_call_id"] = "call00001";
  json::object thought = said("assistant", " b ");
  thought["reasoning_content"] = "hm";
  const json::array turns = {said("user", " a "), thought, said("user", "c"), said("assistant", "d")};
  json::array with_system = turns;
  with_system.insert(with_system.begin(), said("system", "s"));
  json::array asked = with_system;
  asked.pop_back();
  return {{turns, {}, Ending::complete},
          {with_system, {}, Ending::complete},
          {asked, {}, Ending::answer_follows},
          {{said("user", "a"), call, result}, tools, Ending::answer_follows},
          {{said("user", "a"), call, result, said("assistant", "d")}, tools, Ending::complete}};
}

}  // namespace

ChatTemplate::ChatTemplate(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

Result<ChatTemplate> ChatTemplate::create(const Vocabulary& vocabulary, const std::string& source) {
  auto parts = std::make_unique<Parts>();
  try {
    parts->templates = common_chat_templates_init(vocabulary.engine_model(), source);
    parts->thinks = common_chat_templates_support_enable_thinking(parts->templates.get());
    parts->parallel_calls = common_chat_templates_get_caps(parts->templates.get())["supports_parallel_tool_calls"];
    const auto asked = apply(parts->templates.get(), parts->thinks, parts->parallel_calls, {said("user", "a")}, {}, Ending::answer_follows,
                             Way::as_server);
    parts->parser = common_chat_parser_params(asked);
    parts->parser.reasoning_format = COMMON_REASONING_FORMAT_DEEPSEEK;
    if (!asked.parser.empty()) parts->parser.parser.load(asked.parser);
    if (!asked.thinking_end_tags.empty()) parts->tags = {asked.thinking_start_tag, asked.thinking_end_tags.front()};
  } catch (const std::exception& exception) {
    return fail(Code::unsupported, fmt::format("the chat template cannot be used: {}", printable(exception.what())));
  }
  ChatTemplate out(std::move(parts));
  const auto rendered = [&](const Probe& probe, Way way) {
    out.parts_->way = way;
    const auto text = out.render(probe.messages, probe.tools, probe.ending);
    return text ? std::optional(*text) : std::nullopt;
  };
  Way way = Way::plain;
  for (const auto& probe : probes())
    if (rendered(probe, Way::plain) != rendered(probe, Way::as_server)) way = Way::as_server;
  out.parts_->way = way;
  return out;
}

Result<std::string> ChatTemplate::render(const json::array& messages, const json::array& tools, Ending ending) const {
  try {
    return apply(parts_->templates.get(), parts_->thinks, parts_->parallel_calls, messages, tools, ending, parts_->way).prompt;
  } catch (const std::exception& exception) {
    return fail(Code::invalid_argument, fmt::format("the model's chat template refuses it: {}", printable(exception.what())));
  }
}

std::string ChatTemplate::shown(const std::string& generated) const {
  try {
    return common_chat_parse(generated, false, parts_->parser).content;
  } catch (const std::exception&) {
    // The parser refuses what does not have the form that it was made for: thoughts without an end, for one.
    return generated;
  }
}

const ThinkingTags& ChatTemplate::thinking() const {
  return parts_->tags;
}

bool ChatTemplate::explicit_source() const {
  return common_chat_templates_was_explicit(parts_->templates.get());
}

}  // namespace puna::inference
