// The child that works on adapters: `puna adapter`.
#pragma once

#include <filesystem>
#include <optional>

#include "base/error.h"
#include "jobs/spec.h"
#include "wire/adapter_work.h"

namespace puna::training {

// Runs it to its end in `folder`, which takes its order and its log, and shows its progress as the job's. Returns what it says of a merge.
// Its own error keeps its code; a death without one is Code::out_of_memory or Code::upstream_failed. Blocks; Code::cancelled after a stop.
[[nodiscard]] Result<std::optional<wire::MergeResult>> run_adapter_child(const std::filesystem::path& program,
                                                                         const std::filesystem::path& folder,
                                                                         const wire::AdapterOrder& order, jobs::JobContext& context);

}  // namespace puna::training
