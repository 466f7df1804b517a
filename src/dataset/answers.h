// The parts of rows that judge or answer: SQuAD's answers, labels, the answers of a preference pair.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dataset/finding.h"
#include "dataset/turns.h"

namespace puna::dataset {

struct Answers {
  std::vector<std::string> texts;
  std::vector<std::optional<std::int64_t>> starts;  // in characters of the context, one for each text
  bool may_be_empty = false;                        // a list of answers that is empty says that there is none
};
// A text, a list of texts, {text, answer_start} with lists or single values, or a list of {text, answer_start}.
[[nodiscard]] Answers read_answers(const json::value& value, const std::string& field, Problems& problems);
// An answer that is no part of the context is an error; one that does not stand where it should, a warning.
void check_spans(std::string_view context, const Answers& answers, const std::string& field, Problems& problems);

[[nodiscard]] std::optional<bool> read_label(const json::value& value);

// Takes the messages off that both begin with, up to the first answer that ends one of them.
[[nodiscard]] Turns split_shared(Turns& chosen, Turns& rejected);
// Whether the shorter list is the end of the longer one.
[[nodiscard]] bool same_end(const std::vector<Message>& a, const std::vector<Message>& b);

}  // namespace puna::dataset
