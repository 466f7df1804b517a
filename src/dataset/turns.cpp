#include "dataset/turns.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "base/text.h"
#include "dataset/tool_calls.h"

namespace puna::dataset {
namespace {

enum class Speaker : std::uint8_t { system, user, assistant, tool, call };

struct SpeakerName {
  std::string_view name;
  Speaker speaker;
};
constexpr std::array kSpeakers = {
    SpeakerName{"system", Speaker::system},      SpeakerName{"developer", Speaker::system},
    SpeakerName{"user", Speaker::user},          SpeakerName{"human", Speaker::user},
    SpeakerName{"prompter", Speaker::user},      SpeakerName{"assistant", Speaker::assistant},
    SpeakerName{"gpt", Speaker::assistant},      SpeakerName{"model", Speaker::assistant},
    SpeakerName{"bot", Speaker::assistant},      SpeakerName{"chatgpt", Speaker::assistant},
    SpeakerName{"ai", Speaker::assistant},       SpeakerName{"tool", Speaker::tool},
    SpeakerName{"function", Speaker::tool},      SpeakerName{"observation", Speaker::tool},
    SpeakerName{"tool_response", Speaker::tool}, SpeakerName{"function_response", Speaker::tool},
    SpeakerName{"ipython", Speaker::tool},       SpeakerName{"function_call", Speaker::call},
    SpeakerName{"tool_call", Speaker::call},
};

std::optional<Speaker> speaker_of(std::string_view name, const TurnNames& names) {
  if (const auto mapped = names.roles.find(std::string(name)); mapped != names.roles.end()) name = mapped->second;
  const std::string wanted = lower_ascii(trim(name));
  const auto found = std::ranges::find(kSpeakers, wanted, &SpeakerName::name);
  return found == kSpeakers.end() ? std::nullopt : std::optional(found->speaker);
}

const json::value* first_of(const json::object& object, std::initializer_list<std::string_view> names) {
  for (const auto name : names)
    if (const auto* found = object.if_contains(name); found && !found->is_null()) return found;
  return nullptr;
}

// Reads the messages of one list.
class TurnReader {
 public:
  TurnReader(const TurnNames& names, Problems& problems) : names_(names), problems_(problems) {}

  void read(const json::value& value, const std::string& path) {
    const auto* object = value.if_object();
    if (!object) return problem(Kind::wrong_type, path, "expected a message, an object with role and content");
    const auto* role = first_of(*object, {names_.role, "role", "from"});
    if (!role) return problem(Kind::missing_field, path + "." + names_.role, "who speaks is missing");
    const auto speaker = role->is_string() ? speaker_of(std::string_view(role->get_string()), names_) : std::nullopt;
    if (!speaker) return problem(Kind::unknown_role, path + "." + names_.role, fmt::format("unknown role {}", shortened(*role)));
    Message message;
    message.role = role_of(*speaker);
    const auto* content = first_of(*object, {names_.content, "content", "value"});
    if (content) message.content = text_of(*content, path + "." + names_.content);
    if (*speaker == Speaker::call) {
      take_call_text(message, path + "." + names_.content);
    } else {
      take_members(*object, path, message);
    }
    if (!content && !message.tool_calls) return problem(Kind::missing_field, path + "." + names_.content, "the message's text is missing");
    const bool said = !trim(message.content).empty() || message.tool_calls;
    if (!said && (message.role == Role::user || message.role == Role::assistant))
      problem(Kind::empty_field, path + "." + names_.content, fmt::format("the {}'s message is empty", json::enum_name(message.role)));
    out_.weights.push_back(weight_of(*object, path));
    out_.messages.push_back(std::move(message));
  }

  Turns take() && { return std::move(out_); }

 private:
  static Role role_of(Speaker speaker) {
    switch (speaker) {
      case Speaker::system:
        return Role::system;
      case Speaker::user:
        return Role::user;
      case Speaker::tool:
        return Role::tool;
      case Speaker::assistant:
      case Speaker::call:
        return Role::assistant;
    }
    return Role::user;
  }
  static std::string shortened(const json::value& value) {
    const auto text = printable(json::to_text(value));
    return text.size() > 60 ? text.substr(0, utf8_complete_prefix(text.substr(0, 57))) + "…" : text;
  }
  void problem(Kind kind, std::string field, std::string message) { problems_.push_back({kind, std::move(field), std::move(message)}); }

  // Text, or a list of parts of it.
  std::string text_of(const json::value& value, const std::string& path) {
    if (value.is_string()) return std::string(std::string_view(value.get_string()));
    const auto* parts = value.if_array();
    if (!parts) {
      problem(Kind::wrong_type, path, "expected text, got " + shortened(value));
      return {};
    }
    std::string out;
    for (std::size_t i = 0; i < parts->size(); ++i) {
      const auto* part = (*parts)[i].if_object();
      const auto* text = part ? part->if_contains("text") : nullptr;
      if (text && text->is_string())
        out += std::string_view(text->get_string());
      else
        problem(Kind::unsupported_part, fmt::format("{}[{}]", path, i), "only parts of text can be trained");
    }
    return out;
  }

  void take_members(const json::object& object, const std::string& path, Message& message) {
    const auto text = [&](std::string_view name, std::optional<std::string>& into) {
      const auto* value = first_of(object, {name});
      if (value) into = text_of(*value, fmt::format("{}.{}", path, name));
    };
    if (message.role == Role::assistant) {
      for (const std::string_view name : {"reasoning_content", "reasoning", "thinking"})
        if (!message.reasoning) text(name, message.reasoning);
      if (const auto* calls = first_of(object, {"tool_calls"}))
        message.tool_calls = read_calls(*calls, path + ".tool_calls", calls_, problems_);
      else if (const auto* call = first_of(object, {"function_call"}))
        message.tool_calls = read_calls(json::array{*call}, path + ".function_call", calls_, problems_);
      if (message.tool_calls && message.tool_calls->empty()) message.tool_calls.reset();
    }
    if (message.tool_calls) open_calls(*message.tool_calls);
    text("name", message.name);
    if (message.role == Role::tool) {
      text("tool_call_id", message.tool_call_id);
      answer_call(message);
    }
  }

  // ShareGPT's function_call: the text is JSON with name and arguments.
  void take_call_text(Message& message, const std::string& path) {
    const auto parsed = json::parse(message.content);
    if (!parsed) return problem(Kind::bad_tool_call, path, "a call must be JSON with name and arguments: " + parsed.error().message);
    message.tool_calls = read_calls(parsed->is_array() ? *parsed : json::value(json::array{*parsed}), path, calls_, problems_);
    message.content.clear();
    open_calls(*message.tool_calls);
  }

  void open_calls(const json::array& calls) {
    for (const auto& call : calls) open_.emplace_back(std::string_view(call.as_object().at("id").as_string()));
  }

  // A result without an id belongs to the oldest call that has none yet.
  void answer_call(Message& message) {
    if (open_.empty()) return;  // check_order() says so
    const auto named = message.tool_call_id ? std::ranges::find(open_, *message.tool_call_id) : open_.begin();
    if (!message.tool_call_id) message.tool_call_id = *named;
    if (named != open_.end()) open_.erase(named);
  }

  std::optional<double> weight_of(const json::object& object, const std::string& path) {
    if (const auto* train = first_of(object, {"train"})) {
      if (train->is_bool()) return train->get_bool() ? 1 : 0;
      problem(Kind::wrong_type, path + ".train", "expected true or false, got " + shortened(*train));
    }
    const auto* weight = first_of(object, {"weight"});
    if (!weight) return std::nullopt;
    const double number = weight->is_number() ? weight->to_number<double>() : -1;
    if (std::isfinite(number) && number >= 0 && number <= 1) return number;
    problem(Kind::wrong_type, path + ".weight", "expected a number from 0 to 1, got " + shortened(*weight));
    return std::nullopt;
  }

  const TurnNames& names_;
  Problems& problems_;
  Turns out_;
  std::size_t calls_ = 0;          // so far, for ids
  std::vector<std::string> open_;  // ids of calls without a result
};

std::string describe_order(Role before, Role now) {
  return before == now ? fmt::format("two messages of the {} in a row", json::enum_name(now))
                       : fmt::format("a message of the {} behind one of the {}", json::enum_name(now), json::enum_name(before));
}

}  // namespace

json::value json_within(const json::value& value) {
  if (!value.is_string()) return value;
  const auto text = trim(std::string_view(value.get_string()));
  if (!text.starts_with('[') && !text.starts_with('{')) return value;
  auto parsed = json::parse(text);
  return parsed ? std::move(*parsed) : value;
}

Turns read_turns(const json::value& value, const std::string& field, const TurnNames& names, Problems& problems) {
  TurnReader reader(names, problems);
  const json::value list = json_within(value);
  if (list.is_object()) {
    reader.read(list, field);
  } else if (!list.is_array()) {
    problems.push_back({Kind::wrong_type, field, "expected a list of messages"});
  } else if (list.get_array().empty()) {
    problems.push_back({Kind::empty_field, field, "the list of messages is empty"});
  } else {
    for (std::size_t i = 0; i < list.get_array().size(); ++i) reader.read(list.get_array()[i], fmt::format("{}[{}]", field, i));
  }
  return std::move(reader).take();
}

void check_order(const std::vector<Message>& messages, const std::string& field, Problems& problems) {
  const auto add = [&](Kind kind, std::size_t i, std::string message) {
    problems.push_back({kind, fmt::format("{}[{}]", field, i), std::move(message)});
  };
  std::optional<Role> before;  // without systems
  bool calls = false;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const auto& message = messages[i];
    if (message.role == Role::system) {
      if (before) add(Kind::unusual_order, i, "a system message behind other messages");
      continue;
    }
    if (message.role == Role::tool && !calls) add(Kind::wrong_order, i, "a tool's result without a call of the tool before it");
    if (message.role == Role::assistant && !before) add(Kind::unusual_order, i, "the assistant speaks first");
    const bool answers_tool = before == Role::tool && message.role == Role::assistant;
    const bool next_result = before == Role::tool && message.role == Role::tool;
    const bool result = before == Role::assistant && message.role == Role::tool;
    if (before && !answers_tool && !next_result && !result && (before == message.role || before == Role::tool))
      add(Kind::unusual_order, i, describe_order(*before, message.role));
    if (message.role == Role::user) calls = false;
    if (message.tool_calls) calls = true;
    before = message.role;
  }
}

void mark_trained(Turns& turns, wire::TrainOn train_on) {
  std::size_t last = turns.messages.size();
  for (std::size_t i = 0; i < turns.messages.size(); ++i)
    if (turns.messages[i].role == Role::assistant) last = i;
  for (std::size_t i = 0; i < turns.messages.size(); ++i) {
    const bool assistant = turns.messages[i].role == Role::assistant;
    const bool trained = train_on == wire::TrainOn::all || (train_on == wire::TrainOn::completion && assistant) || i == last;
    turns.messages[i].weight = turns.weights[i].value_or(trained ? 1 : 0);
  }
}

}  // namespace puna::dataset
