// Quantizations as file names write them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace puna::model {

// "Q4_K_M" of "smollm2-135m-instruct-q4_k_m.gguf", "UD-IQ2_XXS" of "x-UD-IQ2_XXS-00001-of-00002.gguf": upper case, the last one in the
// name.
[[nodiscard]] std::optional<std::string> quantization_in(std::string_view file_name);

// The number of a part and of all parts: {2, 3} of "x-00002-of-00003.gguf".
struct PartNumber {
  std::size_t part = 0;  // from 1
  std::size_t count = 0;
};
// For file names that end in "-NNNNN-of-NNNNN" and an extension.
[[nodiscard]] std::optional<PartNumber> part_number_in(std::string_view file_name);
// Without the extension and, where there is one, the part number.
[[nodiscard]] std::string_view stem_of(std::string_view file_name);

}  // namespace puna::model
