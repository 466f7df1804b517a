// Asking the person at the terminal.
#pragma once

#include <string_view>

#include "base/error.h"
#include "cli/screen/console.h"

namespace puna::cli {

// "remove it? [y/N] " on standard error; true for y or yes. Code::invalid_argument where nobody can answer.
[[nodiscard]] Result<bool> ask(Console& console, std::string_view question);

}  // namespace puna::cli
