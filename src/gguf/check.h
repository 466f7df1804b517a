// Is this file a whole model that llama.cpp will accept? Asked before anything maps or loads it.
#pragma once

#include <filesystem>

#include "base/error.h"
#include "gguf/reader.h"

namespace puna::gguf {

// Beyond what parsing demands: an architecture is named, tensor names differ, and tensors lie aligned, one after the other, inside the
// file. Code::corrupt_data names the fault: "tensor 'blk.0.attn_q.weight' ends 4096 bytes after the end of the file".
[[nodiscard]] Result<> check(const Header& header);
[[nodiscard]] Result<> check(const std::filesystem::path& path);

}  // namespace puna::gguf
