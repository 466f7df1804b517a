// What models are called here.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/error.h"

namespace puna::model {

// "smollm2", "smollm2:135m", "HuggingFaceTB/SmolLM2:Q4_K_M", "hf.co/HuggingFaceTB/SmolLM2:Q4_K_M". Each part begins with a letter or a
// digit, goes on with letters, digits,
// '.', '_', '-', and is at most 96 characters long; ".." does not occur. A missing tag means "latest". Case is kept, and does not
// tell names apart.
class Name {
 public:
  // Code::invalid_argument says which character or part is wrong.
  [[nodiscard]] static Result<Name> parse(std::string_view text);
  // From what another program calls a model: what no name may hold becomes '-'.
  [[nodiscard]] static Name made_from(std::string_view text);
  [[nodiscard]] Name with_tag(std::string tag) const;

  [[nodiscard]] std::string text() const;                          // always with its tag
  [[nodiscard]] std::string key() const;                           // the same for names that differ in case only
  [[nodiscard]] const std::string& base() const { return base_; }  // "owner/repo" or "name"
  [[nodiscard]] const std::string& tag() const { return tag_; }
  [[nodiscard]] bool tag_was_given() const { return tag_given_; }

 private:
  std::string base_;
  std::string tag_;
  bool tag_given_ = false;
};

inline constexpr std::string_view kDefaultTag = "latest";

}  // namespace puna::model
