#include "dataset/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "dataset/order.h"

namespace puna::dataset {
namespace {

std::vector<std::uint32_t> order_by(std::span<const std::uint64_t> keys) {
  std::vector<std::uint32_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, [&](auto a, auto b) { return std::pair(keys[a], a) < std::pair(keys[b], b); });
  return order;
}

std::size_t most_frequent(std::span<const std::uint64_t> keys) {
  const auto order = order_by(keys);
  std::size_t most = 0, run = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    run = i > 0 && keys[order[i]] == keys[order[i - 1]] ? run + 1 : 1;
    most = std::max(most, run);
  }
  return most;
}

}  // namespace

Split split_rows(std::span<const RowKey> rows, double fraction, std::uint64_t seed) {
  Split out;
  out.evaluation.resize(rows.size());
  if (fraction <= 0 || rows.empty()) {
    out.description = "none: every row is trained";
    return out;
  }
  std::vector<std::uint64_t> keys(rows.size());
  std::ranges::transform(rows, keys.begin(), &RowKey::prompt);
  const bool by_prompt = most_frequent(keys) * 10 < rows.size() || most_frequent(keys) == 1;
  if (!by_prompt) std::ranges::transform(rows, keys.begin(), &RowKey::row);
  for (auto& key : keys) key = mix(key ^ mix(seed));
  const auto limit = static_cast<std::uint64_t>(fraction * 0x1p64);  // a fraction is below 1
  const auto [least, most] = std::ranges::minmax(keys);
  // When all rows are equal, there is nothing to hold back.
  for (std::size_t i = 0; least < most && i < keys.size(); ++i)
    out.evaluation[i] = (keys[i] < limit || keys[i] == least) && keys[i] != most;
  out.description = fmt::format("{:g} of the rows, by a hash of seed {} and the {}: rows added later move none of these to the other side",
                                fraction, seed, by_prompt ? "prompt" : "row");
  return out;
}

std::vector<Pair> doubles(std::span<const std::uint64_t> keys) {
  std::vector<Pair> out;
  const auto order = order_by(keys);
  for (std::size_t i = 1, first = 0; i < order.size(); ++i) {
    if (keys[order[i]] != keys[order[first]])
      first = i;
    else
      out.push_back({order[i], order[first]});
  }
  std::ranges::sort(out, {}, &Pair::later);
  return out;
}

}  // namespace puna::dataset
