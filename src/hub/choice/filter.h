// Which files of a repository are wanted: what somebody types behind ':' or after --filter.
//
//   Q4_K_M           a quantization, in any case
//   model-Q4_0.gguf  a file, by its path or its name
//   *q4*             a glob: '*' any characters, '?' one, '[a-c]' one of; in any case
//   /Q[45]_K/        a regular expression (RE2's syntax) that is found anywhere in the path; in any case
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace re2 {
class RE2;
}

namespace puna::hub {

enum class FilterKind { quantization, file, glob, regex };

// Immutable; time in proportion to the text, whatever the pattern.
class Filter {
 public:
  // Code::invalid_argument says what is wrong and at which character.
  [[nodiscard]] static Result<Filter> parse(std::string_view typed);

  [[nodiscard]] FilterKind kind() const { return kind_; }
  [[nodiscard]] const std::string& text() const { return text_; }  // as typed
  // Of file, glob and regex: whether the path is meant. A pattern without '/' may also match the name alone.
  [[nodiscard]] bool matches(std::string_view path) const;

 private:
  Filter(FilterKind kind, std::string text) : kind_(kind), text_(std::move(text)) {}

  FilterKind kind_;
  std::string text_;
  std::shared_ptr<const re2::RE2> regex_;
};

// Iterative: no pattern makes it take long. Case does not count.
[[nodiscard]] bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace puna::hub
