// What is wrong with rows: every kind in one table, every occurrence counted, the first ones kept with their place.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wire/dataset.h"

namespace puna::dataset {

enum class Kind : std::uint8_t {
  // The row cannot be used.
  syntax,            // no JSON, no CSV
  encoding,          // not UTF-8
  row_too_long,      // more bytes than a row may have
  not_an_object,     // a JSON value that is no row
  column_count,      // more or fewer fields than the header has
  missing_field,     // a required field is absent or null
  wrong_type,        // a field holds something else than it should
  empty_field,       // a required field has no text
  unknown_role,      // a speaker nobody knows
  wrong_order,       // turns that no conversation has
  bad_tool_call,     // a call without a name, arguments that are no JSON object
  unsupported_part,  // images, audio
  nothing_trained,   // no token of the row counts
  not_in_context,    // the answer is no part of the context
  no_difference,     // chosen and rejected are equal
  prompt_mismatch,   // chosen, rejected and prompt do not belong together
  not_rendered,      // the model's template or tokenizer refuses the row
  // It can.
  unusual_order,  // some templates refuse it
  span_moved,     // the answer stands elsewhere than answer_start says
  control_characters,
  replacement_characters,
  mojibake,  // UTF-8 that was read as Latin-1 and written again
  very_long,
  truncated,  // more tokens than the limit
  duplicate,
  eval_overlap,  // a row for evaluation is trained, too
  eval_prompt_overlap,
  one_sided_labels,
  few_rows,
  eval_empty,
};

struct KindTraits {
  Kind kind;
  std::string_view name;  // stable, part of the API
  wire::FindingSeverity severity;
  std::string_view message;
};
[[nodiscard]] const KindTraits& traits(Kind kind);

// One trouble of one row. `field` may be empty.
struct Problem {
  Kind kind;
  std::string field;
  std::string message;
  std::size_t line_offset = 0;  // lines below the row's first
  std::size_t column = 0;       // from 1; 0: not known
};
using Problems = std::vector<Problem>;

[[nodiscard]] bool has_error(const Problems& problems);

// Keeps at most `examples` places (at least one) of each kind, and counts all.
class Findings {
 public:
  explicit Findings(std::size_t examples) : limit_(std::max<std::size_t>(1, examples)) {}

  void add(const std::string& file, std::uint64_t line, const Problem& problem);
  void add(const std::string& file, std::uint64_t line, const Problems& problems);
  [[nodiscard]] std::int64_t count(wire::FindingSeverity severity) const;
  [[nodiscard]] std::int64_t count(Kind kind) const;
  // Errors before warnings, in the order of the table.
  [[nodiscard]] std::vector<wire::DatasetFinding> list() const;

 private:
  struct Tally {
    std::int64_t count = 0;
    std::vector<wire::DatasetPlace> places;
  };
  Tally& tally(Kind kind);

  std::size_t limit_;
  std::vector<Tally> tallies_;
};

}  // namespace puna::dataset
