#include "dataset/finding.h"

#include <array>

namespace puna::dataset {
namespace {

constexpr auto kError = wire::FindingSeverity::error;
constexpr auto kWarning = wire::FindingSeverity::warning;

constexpr std::array kKinds = {
    KindTraits{Kind::syntax, "syntax", kError, "what stands there cannot be read"},
    KindTraits{Kind::encoding, "encoding", kError, "bytes that are not UTF-8"},
    KindTraits{Kind::row_too_long, "row-too-long", kError, "more bytes than one row may have"},
    KindTraits{Kind::not_an_object, "not-an-object", kError, "a value that is not an object with fields"},
    KindTraits{Kind::column_count, "column-count", kError, "more or fewer fields than the header row has"},
    KindTraits{Kind::missing_field, "missing-field", kError, "a required field is missing"},
    KindTraits{Kind::wrong_type, "wrong-type", kError, "a field holds something else than it should"},
    KindTraits{Kind::empty_field, "empty-field", kError, "a required field is empty"},
    KindTraits{Kind::unknown_role, "unknown-role", kError, "a message of an unknown role; the mapping's `roles` can name it"},
    KindTraits{Kind::wrong_order, "wrong-order", kError, "turns in an order that no conversation has"},
    KindTraits{Kind::bad_tool_call, "bad-tool-call", kError, "a tool or a call of one that is not well formed"},
    KindTraits{Kind::unsupported_part, "unsupported-part", kError, "content other than text, which cannot be trained"},
    KindTraits{Kind::nothing_trained, "nothing-trained", kError, "no part of the row is trained"},
    KindTraits{Kind::not_in_context, "not-in-context", kError, "an answer that is not a part of its context"},
    KindTraits{Kind::no_difference, "no-difference", kError, "the chosen and the rejected answer are equal"},
    KindTraits{Kind::prompt_mismatch, "prompt-mismatch", kError, "prompt, chosen and rejected do not belong together"},
    KindTraits{Kind::not_rendered, "not-rendered", kError, "the model's template or tokenizer refuses the row"},
    KindTraits{Kind::unusual_order, "unusual-order", kWarning, "an order of turns that some templates refuse"},
    KindTraits{Kind::span_moved, "span-moved", kWarning, "the answer stands elsewhere in the context than answer_start says"},
    KindTraits{Kind::control_characters, "control-characters", kWarning, "control characters in the text"},
    KindTraits{Kind::replacement_characters, "replacement-characters", kWarning, "U+FFFD: characters that were lost before"},
    KindTraits{Kind::mojibake, "mojibake", kWarning, "text that looks as if its UTF-8 had been read as Latin-1"},
    KindTraits{Kind::very_long, "very-long", kWarning, "far longer than the other rows"},
    KindTraits{Kind::truncated, "truncated", kWarning, "more tokens than the limit: the end will be cut off"},
    KindTraits{Kind::duplicate, "duplicate", kWarning, "equal to an earlier row"},
    KindTraits{Kind::eval_overlap, "eval-overlap", kWarning, "a row for evaluation that is trained, too"},
    KindTraits{Kind::eval_prompt_overlap, "eval-prompt-overlap", kWarning, "a row for evaluation whose prompt is trained, too"},
    KindTraits{Kind::one_sided_labels, "one-sided-labels", kWarning, "all answers have the same label: there is nothing to tell apart"},
    KindTraits{Kind::few_rows, "few-rows", kWarning, "so few rows are learned by heart rather than understood"},
    KindTraits{Kind::eval_empty, "eval-empty", kWarning, "no row is left for evaluation"},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kKinds.size(); ++i)
    if (static_cast<std::size_t>(kKinds[i].kind) != i) return false;
  return true;
}
static_assert(in_order(), "kKinds is indexed by Kind");

}  // namespace

const KindTraits& traits(Kind kind) {
  return kKinds.at(static_cast<std::size_t>(kind));
}

bool has_error(const Problems& problems) {
  return std::ranges::any_of(problems, [](const Problem& problem) { return traits(problem.kind).severity == kError; });
}

Findings::Tally& Findings::tally(Kind kind) {
  if (tallies_.empty()) tallies_.resize(kKinds.size());
  return tallies_[static_cast<std::size_t>(kind)];
}

void Findings::add(const std::string& file, std::uint64_t line, const Problem& problem) {
  Tally& found = tally(problem.kind);
  ++found.count;
  if (found.places.size() >= limit_) return;
  wire::DatasetPlace place{file, static_cast<std::int64_t>(line + problem.line_offset), std::nullopt, std::nullopt, problem.message};
  if (problem.column > 0) place.column = static_cast<std::int64_t>(problem.column);
  if (!problem.field.empty()) place.field = problem.field;
  found.places.push_back(std::move(place));
}

void Findings::add(const std::string& file, std::uint64_t line, const Problems& problems) {
  for (const auto& problem : problems) add(file, line, problem);
}

std::int64_t Findings::count(wire::FindingSeverity severity) const {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < tallies_.size(); ++i)
    if (kKinds[i].severity == severity) sum += tallies_[i].count;
  return sum;
}

std::int64_t Findings::count(Kind kind) const {
  return tallies_.empty() ? 0 : tallies_[static_cast<std::size_t>(kind)].count;
}

std::vector<wire::DatasetFinding> Findings::list() const {
  std::vector<wire::DatasetFinding> out;
  for (std::size_t i = 0; i < tallies_.size(); ++i)
    if (tallies_[i].count > 0)
      out.push_back(
          {std::string(kKinds[i].name), kKinds[i].severity, std::string(kKinds[i].message), tallies_[i].count, tallies_[i].places});
  return out;
}

}  // namespace puna::dataset
