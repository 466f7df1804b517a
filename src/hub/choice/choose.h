// One variant of a repository: the one that was asked for, or the best for this machine.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "hub/choice/filter.h"
#include "hub/choice/variants.h"

namespace puna::hub {

struct Wish {
  std::optional<Filter> filter;
  std::vector<std::string> preferred;  // quantizations, best first: for when nobody says
  Bytes memory;                        // that a model may take
};

// A quantization is meant exactly where there is one of that name, whatever the case; else with "UD-" before it; else the only one that
// begins like it. Without a filter: the first of the preferred ones that fits into memory, else the largest that fits, else the smallest.
// Code::not_found lists what there is with sizes; Code::invalid_argument the variants that a filter leaves; Code::unsupported when there
// is nothing that Puna can use, or when the one asked for is not complete.
[[nodiscard]] Result<Variant> choose(const Listing& listing, std::span<const Variant> variants, const Wish& wish);

// "Q4_K_M (4.6 GiB), Q8_0 (8 GiB)": at most twelve.
[[nodiscard]] std::string names_and_sizes(std::span<const Variant* const> variants);

}  // namespace puna::hub
