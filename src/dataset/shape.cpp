#include "dataset/shape.h"

#include <fmt/format.h>

#include <array>

#include "base/text.h"

namespace puna::dataset {
namespace {

using wire::TuneMethod;
using wire::TuneTask;
using Names = std::string_view;
using enum FieldType;

constexpr Names kTurns[] = {"messages", "conversations", "conversation", "dialogue", "dialog", "chat", "turns"};
constexpr Names kRole[] = {"role"};
constexpr Names kContent[] = {"content"};
constexpr Names kFrom[] = {"from"};
constexpr Names kValue[] = {"value"};
constexpr Names kSystem[] = {"system", "system_prompt"};
constexpr Names kTools[] = {"tools", "functions"};
constexpr Names kInstruction[] = {"instruction"};
constexpr Names kInput[] = {"input", "context"};
constexpr Names kHistory[] = {"history"};
constexpr Names kOutput[] = {"output", "response", "answer", "completion"};
constexpr Names kPrompt[] = {"prompt", "question", "query", "input", "user", "instruction"};
constexpr Names kCompletion[] = {"completion", "response", "answer", "output", "assistant", "target"};
constexpr Names kText[] = {"text", "content", "document", "body"};
constexpr Names kDocument[] = {"document", "article", "text", "dialogue", "source", "input", "content"};
constexpr Names kSummary[] = {"summary", "highlights", "abstract", "tldr"};
constexpr Names kSummaryWithTask[] = {"output", "target", "completion", "response"};
constexpr Names kContext[] = {"context", "passage", "paragraph"};
constexpr Names kQuestion[] = {"question"};
constexpr Names kAnswers[] = {"answers", "answer"};
constexpr Names kImpossible[] = {"is_impossible"};
constexpr Names kChosen[] = {"chosen", "accepted", "preferred"};
constexpr Names kRejected[] = {"rejected", "dispreferred"};
constexpr Names kLabel[] = {"label", "desirable", "thumbs_up"};

constexpr FieldSpec kSystemField{"system", text, false, kSystem, {}};
constexpr FieldSpec kToolsField{"tools", list, false, kTools, {}};

constexpr FieldSpec kMessagesFields[] = {{"messages", role_turns, true, kTurns, {}},
                                         {"role", within, false, kRole, {}},
                                         {"content", within, false, kContent, {}},
                                         kSystemField,
                                         kToolsField};
constexpr FieldSpec kShareGptFields[] = {{"conversations", from_turns, true, kTurns, {}},
                                         {"role", within, false, kFrom, {}},
                                         {"content", within, false, kValue, {}},
                                         kSystemField,
                                         kToolsField};
constexpr FieldSpec kAlpacaFields[] = {{"instruction", text, true, kInstruction, {}},
                                       {"input", text, false, kInput, {}},
                                       {"output", text, true, kOutput, {}},
                                       {"history", list, false, kHistory, {}},
                                       kSystemField};
constexpr FieldSpec kPromptCompletionFields[] = {
    {"prompt", text_or_turns, true, kPrompt, {}}, {"completion", text_or_turns, true, kCompletion, {}}, kSystemField, kToolsField};
constexpr FieldSpec kTextFields[] = {{"text", text, true, kText, {}}};
constexpr FieldSpec kSummaryFields[] = {{"document", text, true, kDocument, {}}, {"summary", text, true, kSummary, kSummaryWithTask}};
constexpr FieldSpec kSquadFields[] = {{"context", text, true, kContext, {}},
                                      {"question", text, true, kQuestion, {}},
                                      {"answers", answers, true, kAnswers, {}},
                                      {"is_impossible", label, false, kImpossible, {}}};
constexpr FieldSpec kPreferenceFields[] = {{"prompt", text_or_turns, false, kPrompt, {}},
                                           {"chosen", text_or_turns, true, kChosen, {}},
                                           {"rejected", text_or_turns, true, kRejected, {}},
                                           kSystemField,
                                           kToolsField};
constexpr FieldSpec kLabelledFields[] = {{"prompt", text_or_turns, true, kPrompt, {}},
                                         {"completion", text_or_turns, true, kCompletion, {}},
                                         {"label", label, true, kLabel, {}},
                                         kSystemField,
                                         kToolsField};

constexpr std::array kShapes = {
    ShapeSpec{Shape::labelled, "labelled answers (prompt, completion, label)", kLabelledFields, std::nullopt, TuneMethod::kto},
    ShapeSpec{Shape::preference, "preference pairs (prompt, chosen, rejected)", kPreferenceFields, std::nullopt, TuneMethod::dpo},
    ShapeSpec{Shape::squad, "questions on a context (context, question, answers)", kSquadFields, TuneTask::extractive_question_answering,
              TuneMethod::sft},
    ShapeSpec{Shape::messages, "conversations (messages with role and content)", kMessagesFields, std::nullopt, TuneMethod::sft},
    ShapeSpec{Shape::sharegpt, "conversations (turns with from and value)", kShareGptFields, std::nullopt, TuneMethod::sft},
    ShapeSpec{Shape::alpaca, "instructions (instruction, input, output)", kAlpacaFields, std::nullopt, TuneMethod::sft},
    ShapeSpec{Shape::summary, "documents with summaries (document, summary)", kSummaryFields, TuneTask::summarization, TuneMethod::sft},
    ShapeSpec{Shape::prompt_completion, "prompts with completions (prompt, completion)", kPromptCompletionFields, std::nullopt,
              TuneMethod::sft},
    ShapeSpec{Shape::text, "plain text (text)", kTextFields, std::nullopt, TuneMethod::pretrain},
};

constexpr Shape kOfGeneration[] = {Shape::messages, Shape::sharegpt,   Shape::alpaca,  Shape::prompt_completion,
                                   Shape::text,     Shape::preference, Shape::labelled};
constexpr Shape kOfSummarization[] = {Shape::summary, Shape::messages, Shape::sharegpt, Shape::alpaca, Shape::preference, Shape::labelled};
constexpr Shape kOfAnswering[] = {Shape::squad, Shape::preference, Shape::labelled};

constexpr Shape kOfSft[] = {Shape::messages, Shape::sharegpt, Shape::alpaca, Shape::prompt_completion, Shape::summary, Shape::squad};
constexpr Shape kOfPretrain[] = {Shape::text};
constexpr Shape kOfPairs[] = {Shape::preference};
constexpr Shape kOfKto[] = {Shape::labelled};

std::span<const Shape> shapes_of(TuneTask task) {
  switch (task) {
    case TuneTask::text_generation:
      return kOfGeneration;
    case TuneTask::summarization:
      return kOfSummarization;
    case TuneTask::extractive_question_answering:
      return kOfAnswering;
  }
  return {};
}

std::span<const Shape> shapes_of(TuneMethod method) {
  switch (method) {
    case TuneMethod::sft:
      return kOfSft;
    case TuneMethod::pretrain:
      return kOfPretrain;
    case TuneMethod::dpo:
    case TuneMethod::orpo:
      return kOfPairs;
    case TuneMethod::kto:
      return kOfKto;
  }
  return {};
}

std::string summaries(std::span<const Shape> shapes) {
  std::vector<std::string> out;
  for (const auto shape : shapes) out.emplace_back(spec_of(shape).summary);
  return join(out, "; ");
}

template <class T>
std::string names_that_take(std::span<const wire::TrainingName<T>> table, Shape shape) {
  std::vector<std::string> out;
  for (const auto& row : table)
    if (std::ranges::find(shapes_of(row.value), shape) != shapes_of(row.value).end()) out.emplace_back(row.name);
  return join(out, " or ");
}

}  // namespace

std::span<const ShapeSpec> shapes() {
  return kShapes;
}

const ShapeSpec& spec_of(Shape shape) {
  return *std::ranges::find(kShapes, shape, &ShapeSpec::shape);
}

const FieldSpec* find_field(const ShapeSpec& spec, std::string_view name) {
  const auto found = std::ranges::find(spec.fields, name, &FieldSpec::name);
  return found == spec.fields.end() ? nullptr : &*found;
}

bool task_takes(TuneTask task, Shape shape) {
  return std::ranges::find(shapes_of(task), shape) != shapes_of(task).end();
}

bool method_takes(TuneMethod method, Shape shape) {
  return std::ranges::find(shapes_of(method), shape) != shapes_of(method).end();
}

Result<wire::TrainOn> train_on_of(Purpose purpose, std::optional<wire::TrainOn> train_on) {
  if (purpose.method == TuneMethod::sft) return train_on.value_or(wire::TrainOn::completion);
  const auto only = purpose.method == TuneMethod::pretrain ? wire::TrainOn::all : wire::TrainOn::completion;
  if (train_on.value_or(only) == only) return only;
  return fail(Code::invalid_argument, fmt::format("train_on: {} cannot be chosen for the method {}, which trains {}",
                                                  json::enum_name(*train_on), wire::method_name(purpose.method), json::enum_name(only)));
}

Result<Purpose> purpose_of(Shape shape, std::optional<TuneTask> task, std::optional<TuneMethod> method) {
  const auto& spec = spec_of(shape);
  const Purpose purpose{task.value_or(spec.task.value_or(TuneTask::text_generation)), method.value_or(spec.method)};
  if (!task_takes(purpose.task, shape))
    return fail(Code::invalid_argument,
                fmt::format("task: {} needs {}, but the rows are {}: use the task {}, or map the fields to another shape",
                            wire::task_name(purpose.task), summaries(shapes_of(purpose.task)), spec.summary,
                            names_that_take(wire::tune_tasks(), shape)));
  if (!method_takes(purpose.method, shape))
    return fail(Code::invalid_argument,
                fmt::format("method: {} needs {}, but the rows are {}: use the method {}, or map the fields to another shape",
                            wire::method_name(purpose.method), summaries(shapes_of(purpose.method)), spec.summary,
                            names_that_take(wire::tune_methods(), shape)));
  return purpose;
}

}  // namespace puna::dataset
