// What this program is.
#pragma once

#include <string_view>

namespace puna {

[[nodiscard]] std::string_view version();            // "0.1.0"
[[nodiscard]] std::string_view llama_cpp_version();  // of the source it was built with
[[nodiscard]] std::string_view compiler_version();   // "clang 19.1.7"

}  // namespace puna
