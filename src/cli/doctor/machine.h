// What models run on here, how fast that can be, and what would make it faster.
#pragma once

#include <vector>

#include "cli/doctor/finding.h"

namespace puna::cli {

[[nodiscard]] std::vector<Finding> judge_processor(const Machine& machine);
// GPUs: those that models run on, and those that they could.
[[nodiscard]] std::vector<Finding> judge_gpus(const Machine& machine);
// Which models fit, and how fast they can be.
[[nodiscard]] std::vector<Finding> judge_models(const Machine& machine, const Settings& settings);
// The one setting to change, if there is one.
[[nodiscard]] std::vector<Finding> judge_settings(const Machine& machine, const Settings& settings);

}  // namespace puna::cli
