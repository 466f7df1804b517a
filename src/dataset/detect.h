// Which shape rows have, and where their parts stand.
#pragma once

#include <optional>
#include <span>

#include "dataset/shape.h"

namespace puna::dataset {

struct Wanted {
  wire::DatasetMapping mapping;  // what it says is obeyed, or refused by name
  std::optional<wire::TuneTask> task;
  std::optional<wire::TuneMethod> method;
};

// From a sample of the rows. Code::invalid_argument when no shape fits (the fields there are, and how to map them), and when the mapping
// names fields or roles that do not exist.
[[nodiscard]] Result<wire::DatasetDetection> detect(std::span<const json::object> sample, const Wanted& wanted);

}  // namespace puna::dataset
