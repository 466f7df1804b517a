// A merge that looks at what it lost, and stores more where that is too much.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "adapter/merge.h"
#include "base/error.h"
#include "wire/adapter_work.h"

namespace puna::adapter {

// Told now and then: "merging", in bytes of the base's tensors; "comparing", without numbers; and where it has to be, "merging again".
using PhaseProgress = std::function<void(std::string_view phase, Bytes done, Bytes total)>;

// Merges as `call` says, but for the type, and says what was lost, by what base, base with adapter and merged model make of `text`.
// Without a type each tensor keeps the base's, unless that would lose most of what the adapter does, or cannot be written: then those that
// have less become q8_0, and the result says why. A type that is asked for is obeyed; when it loses as much, the result advises another.
[[nodiscard]] Result<wire::MergeResult> merge_measured(const MergeCall& call, std::optional<wire::MergeType> type,
                                                       const std::filesystem::path& output, std::span<const std::int32_t> text,
                                                       const PhaseProgress& progress = {});

}  // namespace puna::adapter
