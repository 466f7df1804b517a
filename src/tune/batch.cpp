#include "tune/batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

namespace puna::tune {

std::size_t MicroBatch::longest() const {
  std::size_t out = 0;
  for (const auto& document : documents) out = std::max(out, document.count);
  return out;
}

double MicroBatch::weight() const {
  double out = 0;
  for (const auto& place : trained) out += place.weight;
  return out;
}

Result<> check_row(const TokenRow& row, std::size_t vocabulary) {
  if (row.tokens.empty()) return fail(Code::invalid_argument, "a row has no tokens");
  if (row.weights.size() != row.tokens.size())
    return fail(Code::invalid_argument, fmt::format("a row has {} weights for {} tokens", row.weights.size(), row.tokens.size()));
  for (const auto token : row.tokens)
    if (token < 0 || static_cast<std::size_t>(token) >= vocabulary)
      return fail(Code::invalid_argument, fmt::format("token {} is outside of the vocabulary of {}", token, vocabulary));
  for (const auto weight : row.weights)
    if (!std::isfinite(weight) || weight < 0)
      return fail(Code::invalid_argument, fmt::format("a token's weight is {}; it must be 0 or more", weight));
  return {};
}

MicroBatch lay_out(std::span<const TokenRow> rows) {
  MicroBatch out;
  for (const auto& row : rows) {
    const std::size_t first = out.tokens.size();
    const std::size_t first_trained = out.trained.size();
    for (std::size_t i = 0; i < row.tokens.size(); ++i) {
      out.tokens.push_back(row.tokens[i]);
      out.positions.push_back(static_cast<std::uint32_t>(i));
      if (i + 1 < row.tokens.size() && row.weights[i + 1] > 0)
        out.trained.push_back({static_cast<std::uint32_t>(first + i), row.tokens[i + 1], row.weights[i + 1]});
    }
    out.documents.push_back({.first = first,
                             .count = row.tokens.size(),
                             .first_trained = first_trained,
                             .trained_count = out.trained.size() - first_trained,
                             .answer = row.answer});
  }
  return out;
}

std::vector<std::vector<std::size_t>> pack(std::span<const std::size_t> lengths, std::size_t capacity) {
  std::vector<std::size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0UZ);
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return lengths[a] != lengths[b] ? lengths[a] > lengths[b] : a < b; });
  std::vector<std::vector<std::size_t>> bins;
  std::multiset<std::pair<std::size_t, std::size_t>> room;  // what is left, and in which bin
  for (const auto row : order) {
    auto best = room.lower_bound({lengths[row], 0});
    std::size_t bin = bins.size();
    std::size_t left = capacity > lengths[row] ? capacity - lengths[row] : 0;
    if (best != room.end()) {
      bin = best->second;
      left = best->first - lengths[row];
      room.erase(best);
    } else {
      bins.emplace_back();
    }
    bins[bin].push_back(row);
    room.insert({left, bin});
  }
  return bins;
}

}  // namespace puna::tune
