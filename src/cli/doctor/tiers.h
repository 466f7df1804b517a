// Which size of model suits which size of memory.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/units.h"

namespace puna::cli {

struct Tier {
  std::string_view model;  // for `puna pull`
  Bytes weights;           // of the file: each token that is written reads them once
  Bytes cache_of_token;    // keys and values of a token of context, in F16
  bool four_bits = false;  // some processors' kernels keep a second copy of such weights, in another order
};

// How a model would be loaded where it is recommended.
struct Loading {
  std::int64_t slots = 4;         // as models.slots has it: each has all of the context
  bool copies_four_bits = false;  // on a processor with AVX2 or ARM's dot product
};
// Models of one family, the smallest first.
[[nodiscard]] std::span<const Tier> tiers();

// The least context, in tokens, for which a model is worth recommending.
inline constexpr std::int64_t kLeastContext = 4096;

// What the model needs with so many tokens of context for each slot, with what computing takes; no less than the fleet will predict
// from the file, which is not here yet.
[[nodiscard]] Bytes need_of(const Tier& tier, std::int64_t context, const Loading& loading);
// The largest that fits into so much memory with kLeastContext; null: none does.
[[nodiscard]] const Tier* largest_that_fits(Bytes memory, const Loading& loading);
// The most tokens of context, a power of two up to 32,768, with which it fits.
[[nodiscard]] std::int64_t context_that_fits(const Tier& tier, Bytes memory, const Loading& loading);

}  // namespace puna::cli
