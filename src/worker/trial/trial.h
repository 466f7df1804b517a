// `puna worker --try FILE`: does a model load, and compute?
#pragma once

#include <filesystem>

namespace puna::worker {

// Checks the file, loads it and computes one token from it, without a GPU. Tells one wire::QuantizeLine on stdout; returns the exit code:
// 0 when all numbers that came out are finite.
[[nodiscard]] int run_trial(const std::filesystem::path& file);

}  // namespace puna::worker
