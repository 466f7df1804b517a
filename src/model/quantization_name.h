// What file names say about the model in them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace puna::model {

// "Q4_K_M" of "dir/SmolLM2-135M-Instruct-q4_k_m.gguf", "UD-IQ2_XXS" of "UD-IQ2_XXS/x-00001-of-00002.gguf", "F16" of "x.fp16.gguf". The
// file's name is asked first, then the folder's.
[[nodiscard]] std::optional<std::string> quantization_in(std::string_view path);

// "smollm2" of the stem "smollm2-UD-Q4_K_XL", "x" of "x_fp16": without the quantization at its end and what joins them. The whole stem when
// it does not end with one, or when nothing would be left.
[[nodiscard]] std::string_view without_quantization(std::string_view stem);

// The number of a part and of all parts: {2, 3} of "x-00002-of-00003.gguf".
struct Part {
  std::size_t number = 0;  // from 1
  std::size_t count = 0;
};
[[nodiscard]] std::optional<Part> part_of(std::string_view path);
// Without the extension and the part's number.
[[nodiscard]] std::string_view stem_of(std::string_view path);

}  // namespace puna::model
