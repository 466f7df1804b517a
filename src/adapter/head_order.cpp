#include "adapter/head_order.h"

#include <algorithm>

namespace puna::adapter {

std::vector<float> reordered(const tune::Shape& shape, const tune::LoraPair& pair, std::span<const float> b, RowOrder to) {
  std::vector<float> out(b.begin(), b.end());
  const bool turns = pair.target == tune::Target::attn_q || pair.target == tune::Target::attn_k;
  if (!turns || shape.architecture->pairing != tune::Pairing::neighbours) return out;
  const std::size_t half = shape.head_width / 2;
  for (std::size_t row = 0; row < pair.out; ++row) {
    const std::size_t head = row / shape.head_width * shape.head_width;
    const std::size_t in_head = row % shape.head_width;
    const std::size_t halves = head + in_head;                                  // as transformers has it: part, then place
    const std::size_t neighbours = head + in_head % half * 2 + in_head / half;  // place, then part
    const auto [from, at] = to == RowOrder::gguf ? std::pair(halves, neighbours) : std::pair(neighbours, halves);
    std::copy_n(b.begin() + static_cast<std::ptrdiff_t>(from * pair.rank), pair.rank,
                out.begin() + static_cast<std::ptrdiff_t>(at * pair.rank));
  }
  return out;
}

}  // namespace puna::adapter
