// Lengths, summed up.
#pragma once

#include <cstdint>
#include <vector>

#include "wire/dataset.h"

namespace puna::dataset {

// Exact mean, median and 95th percentile (nearest rank); the histogram's buckets double: 0, 1, 2–3, 4–7, … Empty ends are left out.
[[nodiscard]] wire::DatasetLengths lengths_of(std::vector<std::uint32_t> values);

}  // namespace puna::dataset
