// What a quantized model is called when nobody named it.
#pragma once

#include <string_view>

#include "model/name.h"

namespace puna::quantize {

// The source's name with the level at the end of its tag, in place of the quantization that stood there: "smollm2:135m-f16" becomes
// "smollm2:135m-q4_k_m", "smollm2" becomes "smollm2:q4_k_m".
[[nodiscard]] model::Name default_name(const model::Name& source, std::string_view source_quantization, std::string_view level);

}  // namespace puna::quantize
