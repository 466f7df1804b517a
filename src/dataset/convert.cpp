#include "dataset/convert.h"

#include <fmt/format.h>

#include "base/text.h"
#include "dataset/answers.h"

namespace puna::dataset {

std::string_view instruction_for(wire::TuneTask task) {
  switch (task) {
    case wire::TuneTask::text_generation:
      return "";
    case wire::TuneTask::summarization:
      return "Summarize the following text.";
    case wire::TuneTask::extractive_question_answering:
      return "Answer the question with words copied from the text.";
  }
  return "";
}

// One row under way.
class Converter::Work {
 public:
  Work(const Converter& converter, const json::object& record, Problems& problems)
      : self_(converter), record_(record), problems_(problems) {}

  Row run() {
    switch (self_.shape_) {
      case Shape::messages:
        conversation("messages");
        break;
      case Shape::sharegpt:
        conversation("conversations");
        break;
      case Shape::alpaca:
        alpaca();
        break;
      case Shape::prompt_completion:
        prompt_completion();
        break;
      case Shape::text:
        row_.text = text("text", Need::required);
        break;
      case Shape::summary:
        summary();
        break;
      case Shape::squad:
        squad();
        break;
      case Shape::preference:
        preference();
        break;
      case Shape::labelled:
        labelled();
        break;
    }
    return std::move(row_);
  }

 private:
  enum class Need : std::uint8_t { required, optional };

  [[nodiscard]] std::string column(std::string_view field) const {
    const auto found = self_.fields_.find(std::string(field));
    return found == self_.fields_.end() ? std::string(field) : found->second;
  }
  // Null counts as absent.
  [[nodiscard]] const json::value* find(std::string_view field) const {
    const auto mapped = self_.fields_.find(std::string(field));
    const auto* value = mapped == self_.fields_.end() ? nullptr : record_.if_contains(mapped->second);
    return value && !value->is_null() ? value : nullptr;
  }
  void problem(Kind kind, std::string_view field, std::string message) { problems_.push_back({kind, column(field), std::move(message)}); }
  const json::value* require(std::string_view field) {
    const auto* value = find(field);
    if (!value) problem(Kind::missing_field, field, "required, but missing");
    return value;
  }

  std::string text(std::string_view field, Need need) {
    const auto* value = need == Need::required ? require(field) : find(field);
    if (!value) return {};
    if (value->is_number() || value->is_bool()) return json::to_text(*value);
    if (!value->is_string()) {
      problem(Kind::wrong_type, field, "expected text");
      return {};
    }
    std::string out(std::string_view(value->get_string()));
    if (need == Need::required && trim(out).empty()) problem(Kind::empty_field, field, "required, but empty");
    return out;
  }

  void add(Turns& turns, Role role, std::string content) const {
    turns.messages.push_back({.role = role, .content = std::move(content)});
    turns.weights.emplace_back();
  }
  void add_system(Turns& turns) {
    auto system = text("system", Need::optional);
    if (trim(system).empty()) return;
    turns.messages.insert(turns.messages.begin(), {.role = Role::system, .content = std::move(system)});
    turns.weights.insert(turns.weights.begin(), std::nullopt);
  }
  void add_tools() {
    if (const auto* tools = find("tools")) row_.tools = read_tools(*tools, column("tools"), problems_);
  }

  void finish(Turns turns, const std::string& field) {
    if (has_error(problems_)) return;  // the order of what could be read says nothing
    check_order(turns.messages, field, problems_);
    mark_trained(turns, self_.options_.train_on);
    if (std::ranges::none_of(turns.messages, [](const Message& message) { return message.weight > 0; }))
      problems_.push_back(
          {Kind::nothing_trained, field, "no message is trained: there is no answer of the assistant, or all have weight 0"});
    else if (turns.messages.back().role != Role::assistant)
      problems_.push_back({Kind::unusual_order, field, "the conversation does not end with the assistant"});
    row_.messages = std::move(turns.messages);
  }

  void conversation(std::string_view field) {
    const auto* value = require(field);
    if (!value) return;
    Turns turns = read_turns(*value, column(field), self_.turn_names_, problems_);
    add_system(turns);
    add_tools();
    finish(std::move(turns), column(field));
  }

  void alpaca() {
    Turns turns;
    if (const auto* history = find("history")) add_history(turns, json_within(*history));
    std::string instruction = text("instruction", Need::required);
    const std::string input = text("input", Need::optional);
    if (!trim(input).empty()) instruction += "\n\n" + input;
    add(turns, Role::user, std::move(instruction));
    add(turns, Role::assistant, text("output", Need::required));
    add_system(turns);
    finish(std::move(turns), "row");
  }

  // Pairs of what was asked and answered before.
  void add_history(Turns& turns, const json::value& history) {
    const auto* pairs = history.if_array();
    for (std::size_t i = 0; pairs && i < pairs->size(); ++i) {
      const auto* pair = (*pairs)[i].if_array();
      if (!pair || pair->size() != 2 || !pair->at(0).is_string() || !pair->at(1).is_string()) {
        problems_.push_back({Kind::wrong_type, fmt::format("{}[{}]", column("history"), i), "expected a pair of texts: asked, answered"});
        continue;
      }
      add(turns, Role::user, std::string(std::string_view(pair->at(0).get_string())));
      add(turns, Role::assistant, std::string(std::string_view(pair->at(1).get_string())));
    }
    if (!pairs && !(history.is_string() && history.get_string().empty())) problem(Kind::wrong_type, "history", "expected a list of pairs");
  }

  // A text is one message of `role`.
  Turns text_or_turns(std::string_view field, Role role) {
    Turns turns;
    const auto* value = require(field);
    if (!value) return turns;
    const json::value inner = json_within(*value);
    const auto* list = inner.if_array();
    const auto speaks = [](const json::value& item) {
      return item.is_object() && (item.get_object().contains("role") || item.get_object().contains("from"));
    };
    // Text may well be JSON itself; messages are told by who speaks.
    const bool messages = speaks(inner) || (list && !list->empty() && speaks(list->front()));
    if (messages || (list && !value->is_string())) return read_turns(inner, column(field), self_.turn_names_, problems_);
    add(turns, role, text(field, Need::required));
    return turns;
  }

  static void append(Turns& turns, Turns more) {
    std::ranges::move(more.messages, std::back_inserter(turns.messages));
    std::ranges::move(more.weights, std::back_inserter(turns.weights));
  }

  void prompt_completion() {
    Turns turns = text_or_turns("prompt", Role::user);
    append(turns, text_or_turns("completion", Role::assistant));
    add_system(turns);
    add_tools();
    finish(std::move(turns), "row");
  }

  [[nodiscard]] std::string_view instruction() const {
    return self_.options_.instruction.empty() ? instruction_for(self_.options_.purpose.task) : std::string_view(self_.options_.instruction);
  }

  void summary() {
    const auto document = text("document", Need::required);
    auto summary = text("summary", Need::required);
    row_.references = {summary};
    Turns turns;
    add(turns, Role::user, fmt::format("{}\n\n{}", instruction(), document));
    add(turns, Role::assistant, std::move(summary));
    finish(std::move(turns), "row");
  }

  void squad() {
    const auto context = text("context", Need::required);
    const auto question = text("question", Need::required);
    const auto* value = require("answers");
    if (!value) return;
    const auto* impossible = find("is_impossible");
    auto answers = read_answers(*value, column("answers"), problems_);
    const bool unanswerable = answers.texts.empty() && (answers.may_be_empty || (impossible && read_label(*impossible).value_or(false)));
    if (unanswerable) {
      answers.texts = {std::string(kUnanswerable)};
    } else {
      if (answers.texts.empty() && !has_error(problems_)) problem(Kind::empty_field, "answers", "there is no answer");
      check_spans(context, answers, column("answers"), problems_);
    }
    Turns turns;
    add(turns, Role::user, fmt::format("{}\n\nText: {}\n\nQuestion: {}", instruction(), context, question));
    add(turns, Role::assistant, answers.texts.empty() ? "" : answers.texts.front());
    row_.references = std::move(answers.texts);
    row_.context = context;
    finish(std::move(turns), "row");
  }

  // Only answers are compared and judged.
  void set_prompt(Turns prompt) {
    for (auto& message : prompt.messages) message.weight = 0;
    if (prompt.messages.empty() || prompt.messages.back().role == Role::assistant)
      problem(Kind::prompt_mismatch, "prompt", "the prompt must end with a message that asks");
    row_.messages = std::move(prompt.messages);
  }
  std::vector<Message> answer(Turns turns, std::string_view field) {
    mark_trained(turns, wire::TrainOn::completion);
    if (turns.messages.empty() || turns.messages.front().role != Role::assistant)
      problem(Kind::prompt_mismatch, field, "no answer of the assistant is left behind the prompt");
    return std::move(turns.messages);
  }

  void preference() {
    Turns chosen = text_or_turns("chosen", Role::assistant);
    Turns rejected = text_or_turns("rejected", Role::assistant);
    Turns prompt;
    if (find("prompt")) prompt = text_or_turns("prompt", Role::user);
    add_system(prompt);
    add_tools();
    if (has_error(problems_)) return;
    Turns shared = split_shared(chosen, rejected);
    if (prompt.messages.empty()) {
      prompt = std::move(shared);
    } else if (!shared.messages.empty() && !same_end(prompt.messages, shared.messages)) {
      problem(Kind::prompt_mismatch, "prompt", "chosen and rejected begin with other messages than the prompt");
    } else if (shared.messages.size() > prompt.messages.size()) {
      prompt = std::move(shared);
    }
    if (prompt.messages.empty())
      return problem(Kind::prompt_mismatch, "prompt", "there is no prompt, and chosen and rejected share no beginning");
    set_prompt(std::move(prompt));
    row_.chosen = answer(std::move(chosen), "chosen");
    row_.rejected = answer(std::move(rejected), "rejected");
    if (openai_messages(*row_.chosen) == openai_messages(*row_.rejected))
      problem(Kind::no_difference, "rejected", "equal to the chosen answer");
  }

  void labelled() {
    Turns prompt = text_or_turns("prompt", Role::user);
    Turns completion = text_or_turns("completion", Role::assistant);
    add_system(prompt);
    add_tools();
    if (const auto* value = require("label")) {
      row_.label = read_label(*value);
      if (!row_.label) problem(Kind::wrong_type, "label", "expected true or false, 1 or 0");
    }
    if (has_error(problems_)) return;
    set_prompt(std::move(prompt));
    row_.chosen = answer(std::move(completion), "completion");
  }

  const Converter& self_;
  const json::object& record_;
  Problems& problems_;
  Row row_;
};

Converter::Converter(const wire::DatasetMapping& mapping, ConvertOptions options)
    : shape_(mapping.shape.value_or(Shape::text)),
      fields_(mapping.fields.value_or(std::map<std::string, std::string>{})),
      options_(std::move(options)) {
  if (const auto role = fields_.find("role"); role != fields_.end()) turn_names_.role = role->second;
  if (const auto content = fields_.find("content"); content != fields_.end()) turn_names_.content = content->second;
  turn_names_.roles = mapping.roles.value_or(std::map<std::string, std::string>{});
}

std::optional<Row> Converter::convert(const json::object& record, Problems& problems) const {
  Row row = Work(*this, record, problems).run();
  if (has_error(problems)) return std::nullopt;
  return row;
}

}  // namespace puna::dataset
