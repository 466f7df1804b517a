// Is this the beginning of a model file?
#pragma once

#include <cstddef>
#include <string_view>

#include "base/error.h"

namespace puna::hub {

inline constexpr std::size_t kMagicBytes = 4;

// Code::corrupt_data unless `beginning` (the whole file when shorter than kMagicBytes) is that of a GGUF file. The message says what came
// instead: a web page, JSON, a Git LFS pointer, and what to do. `content_type` is the server's word, empty without one.
[[nodiscard]] Result<> require_gguf(std::string_view beginning, std::string_view content_type = {});

}  // namespace puna::hub
