// The names of what can be trained for, and how: one table, for every face.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/json.h"

namespace puna::wire {

// What a tuned model is for: it decides how rows become conversations, and how answers are judged.
enum class TuneTask { text_generation, summarization, extractive_question_answering };
BOOST_DESCRIBE_ENUM(TuneTask, text_generation, summarization, extractive_question_answering)

// What is learned from a row: its answers, its text, which of two answers is better, or whether an answer is good.
enum class TuneMethod { sft, pretrain, dpo, orpo, kto };
BOOST_DESCRIBE_ENUM(TuneMethod, sft, pretrain, dpo, orpo, kto)

template <class T>
struct TrainingName {
  T value;
  std::string_view name;                      // the canonical one, as the API writes it: "text-generation"
  std::string_view summary;                   // one line for people
  std::span<const std::string_view> aliases;  // accepted wherever the name is
};
[[nodiscard]] std::span<const TrainingName<TuneTask>> tune_tasks();
[[nodiscard]] std::span<const TrainingName<TuneMethod>> tune_methods();

[[nodiscard]] std::string_view task_name(TuneTask task);
[[nodiscard]] std::string_view method_name(TuneMethod method);
// A canonical name or an alias, in any case, with '-', '_' or ' ' between words. Code::invalid_argument names what there is.
[[nodiscard]] Result<TuneTask> parse_task(std::string_view name);
[[nodiscard]] Result<TuneMethod> parse_method(std::string_view name);

}  // namespace puna::wire
