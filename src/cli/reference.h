// The manual page and the reference, from the commands' rows.
#pragma once

#include <string>

namespace puna::cli {

[[nodiscard]] std::string manual_page();         // troff, section 1
[[nodiscard]] std::string markdown_reference();  // docs/cli.md

}  // namespace puna::cli
