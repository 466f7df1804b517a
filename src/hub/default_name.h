// The name a model gets when nobody gave it one.
#pragma once

#include <string>
#include <string_view>

namespace puna::hub {

// From a file's name: its stem in lower case, with the quantization at its end as tag. "SmolLM2-135M-Instruct-Q4_1.gguf" becomes
// "smollm2-135m-instruct:q4_1". Characters that a name may not hold become '-'. Empty when nothing is left.
[[nodiscard]] std::string default_name(std::string_view file_name);

}  // namespace puna::hub
