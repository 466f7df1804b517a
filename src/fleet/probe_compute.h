// What our workers can compute on besides the processor.
#pragma once

#include <filesystem>

#include "base/error.h"
#include "wire/system.h"

namespace puna::fleet {

// A child process (`program worker --devices`) asks the drivers, so that one that hangs or crashes hurts nobody. Blocks: seconds with a
// GPU.
[[nodiscard]] Result<wire::Compute> probe_compute(const std::filesystem::path& program);

}  // namespace puna::fleet
