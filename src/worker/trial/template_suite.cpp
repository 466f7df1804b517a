#include "worker/trial/template_suite.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "chat.h"
#include "common.h"
#include "llama.h"

namespace puna::worker {
namespace {

using wire::ProbeFinding;
using wire::ProbeOutcome;

constexpr std::string_view kQuestion = "PUNA-QUESTION";
constexpr std::string_view kRule = "PUNA-RULE";
constexpr std::string_view kAnswer = "PUNA-ANSWER";
constexpr std::string_view kThought = "PUNA-THOUGHT";

struct Call {
  std::string name;
  std::string arguments;  // JSON
};

const std::vector<common_chat_tool>& tools() {
  static const std::vector<common_chat_tool> all = {
      {"get_weather", "The weather of a city",
       R"({"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false})"},
      {"set_alarm", "Sets an alarm",
       R"({"type":"object","properties":{"hour":{"type":"integer"},"labels":{"type":"array","items":{"type":"string"}}},)"
       R"("required":["hour","labels"],"additionalProperties":false})"}};
  return all;
}
const Call kWeather{"get_weather", R"({"city": "Paris"})"};
const Call kAlarm{"set_alarm", R"({"hour": 7, "labels": ["früh", "say \"up\""]})"};

common_chat_msg message(std::string_view role, std::string_view content) {
  common_chat_msg out;
  out.role = role;
  out.content = content;
  return out;
}

common_chat_msg calling(const std::vector<Call>& calls) {
  auto out = message("assistant", "");
  for (const auto& call : calls) out.tool_calls.push_back({call.name, call.arguments, fmt::format("call{:05}", out.tool_calls.size())});
  return out;
}

ProbeFinding passed() {
  return {ProbeOutcome::passed, std::nullopt};
}
ProbeFinding absent(std::string note) {
  return {ProbeOutcome::absent, std::move(note)};
}
ProbeFinding failed(std::string note) {
  return {ProbeOutcome::failed, std::move(note)};
}
ProbeFinding untried(std::string note) {
  return {ProbeOutcome::untried, std::move(note)};
}

// llama.cpp's template errors go on with a picture of the source.
std::string first_lines(std::string_view text) {
  constexpr std::size_t kLongest = 200;
  return printable(trim(text.substr(0, kLongest)));
}

class Suite {
 public:
  Suite(const common_chat_templates* templates, const llama_vocab* vocabulary) : templates_(templates) {
    const auto count = llama_vocab_n_tokens(vocabulary);
    for (llama_token token = 0; token < count; ++token)
      if (llama_vocab_is_eog(vocabulary, token)) ends_.push_back(common_token_to_piece(vocabulary, token, true));
  }

  ProbeFinding chat() const {
    const auto rendered = render({message("user", kQuestion)});
    if (!rendered) return failed(rendered.error().message);
    if (!rendered->prompt.contains(kQuestion)) return failed("what the user says does not get into the prompt");
    return passed();
  }

  ProbeFinding system_message() const {
    const auto rendered = render({message("system", kRule), message("user", kQuestion)});
    if (!rendered) return failed(rendered.error().message);
    if (!rendered->prompt.contains(kRule)) return failed("what the system message says does not get into the prompt");
    const auto caps = common_chat_templates_get_caps(templates_);
    const auto own = caps.find("supports_system_role");
    if (own != caps.end() && !own->second) return {ProbeOutcome::passed, "it becomes the beginning of the first message of the user"};
    return passed();
  }

  ProbeFinding tools_told() const {
    const auto rendered = render({message("user", kQuestion)}, Offer::tools);
    if (!rendered) return failed(rendered.error().message);
    const bool told = std::ranges::all_of(tools(), [&](const auto& tool) { return rendered->prompt.contains(tool.name); });
    return told ? passed() : absent("its template has no place for them");
  }

  ProbeFinding tool_calls() const {
    for (const auto& call : {kWeather, kAlarm})
      if (auto finding = round_trip({call}); finding.outcome != ProbeOutcome::passed) return finding;
    if (round_trip({kWeather, kAlarm}).outcome != ProbeOutcome::passed) return {ProbeOutcome::passed, "one call at a time"};
    return passed();
  }

  ProbeFinding thinking() const {
    const auto rendered = render({message("user", kQuestion)});
    if (!rendered) return failed(rendered.error().message);
    if (!rendered->supports_thinking) return absent("its template has no place for it");
    const auto& begin = rendered->thinking_start_tag;
    if (begin.empty() || rendered->thinking_end_tags.empty()) return untried("where its thoughts end is not told by the template");
    const bool begun = trim(rendered->generation_prompt).ends_with(trim(begin));
    const auto text = fmt::format("{}{}{}{}", begun ? "" : begin, kThought, rendered->thinking_end_tags.front(), kAnswer);
    const auto read = parse(text, *rendered);
    if (!read) return failed(read.error().message);
    if (!read->reasoning_content.contains(kThought) || read->content.contains(kThought) || !read->content.contains(kAnswer))
      return failed("its thoughts cannot be told from its answer");
    const auto without = render({message("user", kQuestion)}, Offer::nothing, Thoughts::off);
    if (without && without->prompt == rendered->prompt) return {ProbeOutcome::passed, "its template cannot switch it off"};
    return passed();
  }

 private:
  enum class Offer : std::uint8_t { nothing, tools };
  enum class Thoughts : std::uint8_t { on, off };
  enum class Ending : std::uint8_t { open, closed };  // the prompt goes on with what the model writes, or not

  [[nodiscard]] Result<common_chat_params> render(std::vector<common_chat_msg> messages, Offer offer = Offer::nothing,
                                                  Thoughts thoughts = Thoughts::on, Ending ending = Ending::open) const {
    common_chat_templates_inputs inputs;
    inputs.messages = std::move(messages);
    inputs.add_generation_prompt = ending == Ending::open;
    inputs.enable_thinking = thoughts == Thoughts::on;
    inputs.reasoning_format = COMMON_REASONING_FORMAT_DEEPSEEK;
    inputs.parallel_tool_calls = true;
    if (offer == Offer::tools) inputs.tools = tools();
    try {
      return common_chat_templates_apply(templates_, inputs);
    } catch (const std::exception& exception) {
      return fail(Code::corrupt_data, first_lines(exception.what()));
    }
  }

  // As the server reads what the model writes.
  [[nodiscard]] static Result<common_chat_msg> parse(const std::string& text, const common_chat_params& rendered) {
    try {
      common_chat_parser_params parameters(rendered);
      parameters.reasoning_format = COMMON_REASONING_FORMAT_DEEPSEEK;
      if (!rendered.parser.empty()) parameters.parser.load(rendered.parser);
      return common_chat_parse(text, false, parameters);
    } catch (const std::exception& exception) {
      return fail(Code::corrupt_data, first_lines(exception.what()));
    }
  }

  // The template writes these calls as a past answer; that is what the model has learned to write, and it has to be read back as the
  // same calls.
  [[nodiscard]] ProbeFinding round_trip(const std::vector<Call>& calls) const {
    const auto open = render({message("user", kQuestion)}, Offer::tools, Thoughts::off);
    const auto told = written({message("user", kQuestion), calling(calls)});
    if (!open) return failed(open.error().message);
    if (!told) return told.error().code == Code::unsupported ? untried(told.error().message) : failed(told.error().message);
    const auto read = parse(*told, *open);
    if (!read) return failed(fmt::format("a call as its template writes it is not understood: {}", read.error().message));
    if (read->tool_calls.size() != calls.size()) return failed("a call as its template writes it is taken for text");
    for (std::size_t i = 0; i < calls.size(); ++i)
      if (!same(read->tool_calls[i], calls[i])) return failed("a call as its template writes it is read as another one");
    return passed();
  }

  [[nodiscard]] static bool same(const common_chat_tool_call& read, const Call& meant) {
    const auto theirs = json::parse(read.arguments), ours = json::parse(meant.arguments);
    return read.name == meant.name && theirs && ours && *theirs == *ours;
  }

  // What the assistant has written in the last message, without what stands around it in the prompt.
  [[nodiscard]] Result<std::string> written(const std::vector<common_chat_msg>& messages) const {
    const std::vector<common_chat_msg> before(messages.begin(), messages.end() - 1);
    auto plain = before;
    plain.push_back(message("assistant", kAnswer));
    PUNA_TRY(const auto base, render(before, Offer::tools, Thoughts::off, Ending::closed));
    PUNA_TRY(const auto usual, render(plain, Offer::tools, Thoughts::off, Ending::closed));
    PUNA_TRY(const auto whole, render(messages, Offer::tools, Thoughts::off, Ending::closed));
    const auto answer = usual.prompt.find(kAnswer);
    const bool follows = usual.prompt.starts_with(base.prompt) && whole.prompt.starts_with(base.prompt);
    if (!follows || answer == std::string::npos || answer < base.prompt.size())
      return fail(Code::unsupported, "its template does not write past answers one after the other");
    const std::string_view heading = std::string_view(usual.prompt).substr(base.prompt.size(), answer - base.prompt.size());
    std::string_view text = std::string_view(whole.prompt).substr(base.prompt.size());
    text.remove_prefix(static_cast<std::size_t>(std::ranges::mismatch(heading, text).in1 - heading.begin()));
    return std::string(without_end(text));
  }

  [[nodiscard]] std::string_view without_end(std::string_view text) const {
    text = trim(text);
    for (const auto& end : ends_)
      if (!end.empty() && text.ends_with(end)) return trim(text.substr(0, text.size() - end.size()));
    return text;
  }

  const common_chat_templates* templates_;
  std::vector<std::string> ends_;
};

}  // namespace

void try_templates(const llama_model* model, const std::string& chat_template, wire::ModelProbe& findings,
                   const std::function<void(std::string_view)>& begins) {
  begins("chat");
  const auto nothing_to_try = [&](const ProbeFinding& chat) {
    findings.chat = chat;
    findings.system = findings.tools = findings.tool_calls = findings.thinking = absent("there is no chat template that works");
  };
  common_chat_templates_ptr templates;
  try {
    templates = common_chat_templates_init(model, chat_template);
  } catch (const std::exception& exception) {
    return nothing_to_try(failed(first_lines(exception.what())));
  }
  if (!common_chat_templates_was_explicit(templates.get())) return nothing_to_try(absent("the file has no chat template"));
  const Suite suite(templates.get(), llama_model_get_vocab(model));
  if (const auto chat = suite.chat(); chat.outcome != ProbeOutcome::passed) return nothing_to_try(chat);
  findings.chat = passed();
  begins("system");
  findings.system = suite.system_message();
  begins("tools");
  findings.tools = suite.tools_told();
  begins("tool_calls");
  findings.tool_calls =
      findings.tools.outcome == ProbeOutcome::passed ? suite.tool_calls() : ProbeFinding{findings.tools.outcome, std::nullopt};
  begins("thinking");
  findings.thinking = suite.thinking();
}

}  // namespace puna::worker
