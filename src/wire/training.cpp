#include "wire/training.h"

#include <fmt/format.h>

#include <array>

#include "base/text.h"

namespace puna::wire {
namespace {

constexpr std::string_view kGeneration[] = {"text-gen", "textgen", "generation", "chat", "conversational", "causal-lm", "instruct"};
constexpr std::string_view kSummarization[] = {"summarisation", "summarize", "summarise", "summary", "abstractive-summarization"};
constexpr std::string_view kAnswering[] = {"question-answering", "extractive-qa", "qa", "squad"};

constexpr std::array kTasks = {
    TrainingName<TuneTask>{TuneTask::text_generation, "text-generation", "conversations, instructions and plain text", kGeneration},
    TrainingName<TuneTask>{TuneTask::summarization, "summarization", "a document becomes its summary", kSummarization},
    TrainingName<TuneTask>{TuneTask::extractive_question_answering, "extractive-question-answering",
                           "a question is answered with words of its context", kAnswering},
};

constexpr std::string_view kSft[] = {"supervised", "supervised-fine-tuning", "instruction-tuning", "lora", "qlora"};
constexpr std::string_view kPretrain[] = {"pretraining", "pre-training", "continued-pretraining", "continued-pre-training", "cpt"};
constexpr std::string_view kDpo[] = {"preference", "rlhf", "direct-preference-optimization"};
constexpr std::string_view kOrpo[] = {"odds-ratio-preference-optimization"};
constexpr std::string_view kKto[] = {"kahneman-tversky-optimization"};

constexpr std::array kMethods = {
    TrainingName<TuneMethod>{TuneMethod::sft, "sft", "learns the answers of conversations", kSft},
    TrainingName<TuneMethod>{TuneMethod::pretrain, "pretrain", "goes on learning from plain text", kPretrain},
    TrainingName<TuneMethod>{TuneMethod::dpo, "dpo", "learns which of two answers is better, against the base model", kDpo},
    TrainingName<TuneMethod>{TuneMethod::orpo, "orpo", "learns an answer and that it is better than another, in one step", kOrpo},
    TrainingName<TuneMethod>{TuneMethod::kto, "kto", "learns from answers that are marked good or bad", kKto},
};

template <class T>
Result<T> parse_name(std::string_view what, std::string_view typed, std::span<const TrainingName<T>> table) {
  std::string wanted = lower_ascii(trim(typed));
  std::ranges::replace_if(wanted, [](char c) { return c == '_' || c == ' '; }, '-');
  std::vector<std::string> names;
  std::vector<std::string_view> known;
  for (const auto& row : table) {
    if (wanted == row.name || std::ranges::find(row.aliases, std::string_view(wanted)) != row.aliases.end()) return row.value;
    names.emplace_back(row.name);
    known.push_back(row.name);
    known.insert(known.end(), row.aliases.begin(), row.aliases.end());
  }
  const auto near = nearest(wanted, known);
  return fail(Code::invalid_argument,
              fmt::format("unknown {} '{}'{}: there are {}", what, printable(typed.substr(0, 60)),
                          near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near.front()), join(names, ", ")));
}

}  // namespace

std::span<const TrainingName<TuneTask>> tune_tasks() {
  return kTasks;
}
std::span<const TrainingName<TuneMethod>> tune_methods() {
  return kMethods;
}
std::string_view task_name(TuneTask task) {
  return std::ranges::find(kTasks, task, &TrainingName<TuneTask>::value)->name;
}
std::string_view method_name(TuneMethod method) {
  return std::ranges::find(kMethods, method, &TrainingName<TuneMethod>::value)->name;
}
Result<TuneTask> parse_task(std::string_view name) {
  return parse_name(std::string_view("task"), name, tune_tasks());
}
Result<TuneMethod> parse_method(std::string_view name) {
  return parse_name(std::string_view("method"), name, tune_methods());
}

}  // namespace puna::wire
