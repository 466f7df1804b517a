#include "cli/doctor/tiers.h"

#include <array>

namespace puna::cli {
namespace {

// The program itself, tokens and tables, and the buffers of a batch.
constexpr Bytes kOverhead = mib(400);

// Qwen3 as its makers publish it. A token's keys and values take 2 (K and V) × layers × 8 heads × 128 × 2 bytes.
constexpr Bytes cache_of(std::uint64_t layers) {
  return Bytes(2 * layers * 8 * 128 * 2);
}

}  // namespace

std::span<const Tier> tiers() {
  static constexpr std::array kTiers = {
      Tier{"Qwen/Qwen3-0.6B-GGUF:Q8_0", Bytes(639'000'000), cache_of(28)},
      Tier{"Qwen/Qwen3-1.7B-GGUF:Q8_0", Bytes(1'830'000'000), cache_of(28)},
      Tier{"Qwen/Qwen3-4B-GGUF:Q4_K_M", Bytes(2'500'000'000), cache_of(36), true},
      Tier{"Qwen/Qwen3-8B-GGUF:Q4_K_M", Bytes(5'030'000'000), cache_of(36), true},
      Tier{"Qwen/Qwen3-14B-GGUF:Q4_K_M", Bytes(9'000'000'000), cache_of(40), true},
      Tier{"Qwen/Qwen3-32B-GGUF:Q4_K_M", Bytes(19'760'000'000), cache_of(64), true},
  };
  return kTiers;
}

Bytes need_of(const Tier& tier, std::int64_t context, const Loading& loading) {
  const Bytes copy = tier.four_bits && loading.copies_four_bits ? tier.weights : Bytes();
  return tier.weights + copy + Bytes(tier.cache_of_token.count * static_cast<std::uint64_t>(context * loading.slots)) + kOverhead;
}

const Tier* largest_that_fits(Bytes memory, const Loading& loading) {
  const Tier* out = nullptr;
  for (const auto& tier : tiers())
    if (need_of(tier, kLeastContext, loading) <= memory) out = &tier;
  return out;
}

std::int64_t context_that_fits(const Tier& tier, Bytes memory, const Loading& loading) {
  std::int64_t out = kLeastContext;
  while (out < 32'768 && need_of(tier, out * 2, loading) <= memory) out *= 2;
  return out;
}

}  // namespace puna::cli
