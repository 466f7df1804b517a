// Bringing a file into memory with progress.
#pragma once

#include <filesystem>
#include <functional>

#include "base/error.h"
#include "base/units.h"

namespace puna::worker {

struct PageInProgress {
  Bytes done;
  Bytes total;  // what was not in the page cache when we began
};

// Reads what the page cache lacks of the file, so that mapping it later waits for no disk. llama.cpp maps with MAP_POPULATE, one call that
// says nothing while a disk is read for minutes; this is where that time becomes visible. `report` is called after each piece; for a file
// that is already in memory, never.
[[nodiscard]] Result<> page_in(const std::filesystem::path& file, const std::function<void(const PageInProgress&)>& report);

}  // namespace puna::worker
