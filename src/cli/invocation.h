// What was typed, sorted by the command's row.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/spec.h"

namespace puna::cli {

class Invocation {
 public:
  // Whether the switch or option was given.
  [[nodiscard]] bool has(std::string_view option) const { return options_.contains(option); }
  // The option's value; of several, the last.
  [[nodiscard]] std::optional<std::string> text(std::string_view option) const;
  [[nodiscard]] std::vector<std::string> all(std::string_view option) const;
  // A whole number within the bounds; the error names the option.
  [[nodiscard]] Result<std::int64_t> number(std::string_view option, std::int64_t absent, std::int64_t min, std::int64_t max) const;

  // An argument by its name in the row: empty when an optional one was left out.
  [[nodiscard]] std::string argument(std::string_view name) const;
  // The last argument's words, where it takes several.
  [[nodiscard]] const std::vector<std::string>& rest() const { return rest_; }

 private:
  friend class InvocationReader;
  std::map<std::string, std::vector<std::string>, std::less<>> options_;
  std::map<std::string, std::string, std::less<>> arguments_;
  std::vector<std::string> rest_;
};

// Options that every command has; printing commands have --json too.
[[nodiscard]] std::span<const OptionSpec> common_options();
[[nodiscard]] const OptionSpec& json_option();
// The command's own options, then the common ones that it has.
[[nodiscard]] std::vector<OptionSpec> options_of(const CommandSpec& command);

// Sorts the words behind a command's name. Code::invalid_argument names the word, what was expected, and what may have been meant. With
// --help among the options nothing else is checked.
[[nodiscard]] Result<Invocation> read_invocation(const CommandSpec& command, std::string_view full_name,
                                                 const std::vector<std::string>& words);

// "puna pull [OPTIONS] SOURCE".
[[nodiscard]] std::string usage_line(const CommandSpec& command, std::string_view full_name);

}  // namespace puna::cli
