#include "dataset/answers.h"

#include <fmt/format.h>

#include <array>

#include "base/text.h"

namespace puna::dataset {
namespace {

// The byte at which a character (code point) begins; npos beyond the end.
std::size_t byte_of_character(std::string_view text, std::int64_t character) {
  if (character < 0) return std::string_view::npos;
  std::int64_t seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) continue;
    if (seen++ == character) return i;
  }
  return std::string_view::npos;
}

class AnswerReader {
 public:
  AnswerReader(const std::string& field, Problems& problems) : field_(field), problems_(problems) {}

  void add(const json::value& text, const json::value* start, const std::string& path) {
    if (!text.is_string() && !text.is_number()) {
      problems_.push_back({Kind::wrong_type, path, "expected the answer's text"});
      return;
    }
    std::string answer = text.is_string() ? std::string(std::string_view(text.get_string())) : json::to_text(text);
    if (trim(answer).empty()) {
      problems_.push_back({Kind::empty_field, path, "the answer is empty"});
      return;
    }
    out_.texts.push_back(std::move(answer));
    out_.starts.push_back(start && start->is_int64() ? std::optional(start->get_int64()) : std::nullopt);
  }

  void add_object(const json::object& object, const std::string& path) {
    const auto* text = object.if_contains("text");
    if (!text) {
      problems_.push_back({Kind::missing_field, path + ".text", "required, but missing"});
      return;
    }
    const auto* start = object.if_contains("answer_start");
    const auto* texts = text->if_array();
    if (!texts) return add(*text, start, path + ".text");
    const auto* starts = start ? start->if_array() : nullptr;
    if (texts->empty()) out_.may_be_empty = true;
    for (std::size_t i = 0; i < texts->size(); ++i)
      add((*texts)[i], starts && i < starts->size() ? &(*starts)[i] : nullptr, fmt::format("{}.text[{}]", path, i));
  }

  Answers read(const json::value& value) {
    if (const auto* object = value.if_object()) {
      add_object(*object, field_);
    } else if (const auto* list = value.if_array()) {
      if (list->empty()) out_.may_be_empty = true;
      for (std::size_t i = 0; i < list->size(); ++i) {
        const std::string path = fmt::format("{}[{}]", field_, i);
        if (const auto* one = (*list)[i].if_object())
          add_object(*one, path);
        else
          add((*list)[i], nullptr, path);
      }
    } else {
      add(value, nullptr, field_);
    }
    return std::move(out_);
  }

 private:
  const std::string& field_;
  Problems& problems_;
  Answers out_;
};

// A cell of a table may hold SQuAD's answers as JSON; an answer that only looks like JSON stays what it is.
json::value answers_within(const json::value& value) {
  json::value inner = json_within(value);
  const auto* list = inner.if_array();
  const bool texts = list && std::ranges::all_of(*list, [](const json::value& item) { return item.is_string() || item.is_object(); });
  const bool object = inner.is_object() && inner.get_object().contains("text");
  return texts || object ? inner : value;
}

bool same(const Message& a, const Message& b) {
  return openai_message(a) == openai_message(b);
}

}  // namespace

Answers read_answers(const json::value& value, const std::string& field, Problems& problems) {
  return AnswerReader(field, problems).read(answers_within(value));
}

void check_spans(std::string_view context, const Answers& answers, const std::string& field, Problems& problems) {
  for (std::size_t i = 0; i < answers.texts.size(); ++i) {
    const auto& answer = answers.texts[i];
    if (!context.contains(answer)) {
      problems.push_back({Kind::not_in_context, field,
                          fmt::format("the answer '{}' is no part of the context",
                                      printable(answer.substr(0, utf8_complete_prefix(answer.substr(0, 60)))))});
      continue;
    }
    const auto start = answers.starts[i];
    if (!start) continue;
    const auto begin = byte_of_character(context, *start);
    if (begin == std::string_view::npos || context.substr(begin, answer.size()) != answer)
      problems.push_back({Kind::span_moved, field, fmt::format("at character {} of the context stands something else", *start)});
  }
}

std::optional<bool> read_label(const json::value& value) {
  if (value.is_bool()) return value.get_bool();
  if (value.is_number()) {
    const auto number = value.to_number<double>();
    return number == 1 ? std::optional(true) : number == 0 ? std::optional(false) : std::nullopt;
  }
  if (!value.is_string()) return std::nullopt;
  constexpr std::array<std::string_view, 5> kYes = {"true", "1", "yes", "good", "desirable"};
  constexpr std::array<std::string_view, 5> kNo = {"false", "0", "no", "bad", "undesirable"};
  const auto text = lower_ascii(trim(std::string_view(value.get_string())));
  if (std::ranges::find(kYes, text) != kYes.end()) return true;
  if (std::ranges::find(kNo, text) != kNo.end()) return false;
  return std::nullopt;
}

Turns split_shared(Turns& chosen, Turns& rejected) {
  const std::size_t most = std::min(chosen.messages.size(), rejected.messages.size());
  std::size_t count = 0;
  while (count + 1 < most && same(chosen.messages[count], rejected.messages[count])) ++count;
  // What is left must begin with an answer.
  while (count > 0 && chosen.messages[count].role != Role::assistant) --count;
  Turns out;
  for (auto* turns : {&chosen, &rejected}) {
    const auto end = static_cast<std::ptrdiff_t>(count);
    if (turns == &chosen) {
      out.messages.assign(turns->messages.begin(), turns->messages.begin() + end);
      out.weights.assign(turns->weights.begin(), turns->weights.begin() + end);
    }
    turns->messages.erase(turns->messages.begin(), turns->messages.begin() + end);
    turns->weights.erase(turns->weights.begin(), turns->weights.begin() + end);
  }
  return out;
}

bool same_end(const std::vector<Message>& a, const std::vector<Message>& b) {
  return std::equal(a.rbegin(), a.rbegin() + static_cast<std::ptrdiff_t>(std::min(a.size(), b.size())), b.rbegin(), same);
}

}  // namespace puna::dataset
