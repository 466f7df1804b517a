// Whether a model can be loaded here at all.
#pragma once

#include <filesystem>
#include <vector>

#include "base/error.h"
#include "base/units.h"

namespace puna::fleet {

// Code::out_of_memory with the arithmetic when the file alone exceeds the memory that is available; Code::not_found when there is no file.
[[nodiscard]] Result<> admit(Bytes file_size, Bytes available);
// The same for files together, with the machine's figures of this moment. Reads /proc: call it on the pool.
[[nodiscard]] Result<> admit_files(const std::vector<std::filesystem::path>& files);

}  // namespace puna::fleet
