#include "dataset/statistics.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace puna::dataset {
namespace {

std::int64_t nearest_rank(std::vector<std::uint32_t>& values, std::size_t percent) {
  const std::size_t rank = std::max<std::size_t>(1, (values.size() * percent + 99) / 100);
  const auto place = values.begin() + static_cast<std::ptrdiff_t>(rank - 1);
  std::ranges::nth_element(values, place);
  return *place;
}

}  // namespace

wire::DatasetLengths lengths_of(std::vector<std::uint32_t> values) {
  wire::DatasetLengths out;
  if (values.empty()) return out;
  out.total = std::accumulate(values.begin(), values.end(), std::int64_t{0});
  out.mean = static_cast<double>(out.total) / static_cast<double>(values.size());
  const auto [least, most] = std::ranges::minmax(values);
  out.min = least;
  out.max = most;
  out.median = nearest_rank(values, 50);
  out.p95 = nearest_rank(values, 95);
  std::vector<std::int64_t> buckets(33);
  for (const auto value : values) ++buckets[static_cast<std::size_t>(std::bit_width(value))];
  for (auto width = static_cast<std::size_t>(std::bit_width(least)); width <= static_cast<std::size_t>(std::bit_width(most)); ++width) {
    const std::int64_t from = width == 0 ? 0 : std::int64_t{1} << (width - 1);
    out.histogram.push_back({from, width == 0 ? 0 : 2 * from - 1, buckets[width]});
  }
  return out;
}

}  // namespace puna::dataset
