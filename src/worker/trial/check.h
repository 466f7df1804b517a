// `puna worker --check FILE`: reads a model file's header where it can do no harm.
#pragma once

#include <filesystem>

namespace puna::worker {

// Prints a wire::CheckReport on stdout; returns the exit code: 0 when the file is a whole model, else 1. Limits its own CPU time.
[[nodiscard]] int print_check(const std::filesystem::path& file);

}  // namespace puna::worker
