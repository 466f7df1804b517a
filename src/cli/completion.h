// Scripts for the shells' completion, from the commands' rows.
#pragma once

#include <string>
#include <string_view>

#include "cli/spec.h"

namespace puna::cli {

[[nodiscard]] std::string bash_completion();
[[nodiscard]] std::string zsh_completion();
[[nodiscard]] std::string fish_completion();

// The argument of `puna __names` that lists what may stand here; empty where it is no list of ours.
[[nodiscard]] std::string_view name_kind(Completes completes);
// The words that may stand here, where they are fixed: "bash zsh fish".
[[nodiscard]] std::string fixed_words(Completes completes);
// What the command's first argument completes to.
[[nodiscard]] Completes first_argument(const CommandSpec& command);

}  // namespace puna::cli
