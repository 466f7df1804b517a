// Bytes from the middle of a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/error.h"

namespace puna::os {

// Fills `to` from that place on and returns how many bytes there were: fewer only at the file's end. The descriptor's own place stays.
[[nodiscard]] Result<std::size_t> read_at(int descriptor, std::uint64_t offset, std::span<std::byte> to);

}  // namespace puna::os
