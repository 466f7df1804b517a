// A run of training, from its folder to an adapter in it.
#pragma once

#include <filesystem>
#include <stop_token>

#include "base/error.h"
#include "wire/tune.h"

namespace puna::trainer {

// Begins it, or goes on from its newest checkpoint, and leaves adapter.gguf, report.md and result.json. A stop leaves a checkpoint of the
// last whole step and Code::cancelled; so does any other failure, without the checkpoint of a step that did not come to its end.
[[nodiscard]] Result<> run(const std::filesystem::path& folder, const std::stop_token& stop);

}  // namespace puna::trainer
