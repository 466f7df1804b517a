// Several adapters as one.
#pragma once

#include <span>

#include "tune/adapter.h"
#include "tune/model.h"

namespace puna::adapter {

// What they add to the model together: ranks add up, each pair keeps its scale. At least one; all are for this model.
[[nodiscard]] tune::Adapter combine(const tune::Model& model, std::span<const tune::Adapter> adapters);

}  // namespace puna::adapter
