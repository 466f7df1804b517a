#include "trainer/course.h"

#include <fmt/format.h>

#include <cmath>
#include <memory>

#include "dataset/order.h"

namespace puna::trainer {
namespace {

constexpr std::uint64_t kMostPlaces = 1'000'000'000;

}  // namespace

Result<Course> Course::create(std::vector<std::uint32_t> lengths, const CourseOptions& options) {
  if (lengths.empty()) return fail(Code::invalid_argument, "there is no row to train on");
  Course out(std::move(lengths), options.seed);
  const auto rows = static_cast<double>(out.lengths_.size());
  const auto places = options.epochs ? static_cast<std::uint64_t>(std::max(1.0, std::round(*options.epochs * rows))) : kMostPlaces;
  if (places > kMostPlaces)
    return fail(Code::too_large,
                fmt::format("{} epochs of {} rows are more than {} rows; set fewer epochs", *options.epochs, rows, kMostPlaces));
  const auto most_steps = static_cast<std::uint64_t>(options.max_steps.value_or(std::numeric_limits<std::int64_t>::max()));
  std::optional<dataset::Shuffle> order;
  std::uint64_t epoch = 0;
  std::uint64_t in_step = 0;
  std::uint64_t tokens = 0;
  out.begins_.push_back(0);
  out.tokens_.push_back(0);
  for (std::uint64_t place = 0; place < places; ++place) {
    if (!order || place / out.lengths_.size() != epoch) {
      epoch = place / out.lengths_.size();
      order.emplace(out.seed_, epoch, out.lengths_.size());
    }
    const std::uint64_t length = out.lengths_[order->at(place % out.lengths_.size())];
    const std::uint64_t count = place - out.begins_.back();
    const bool full = options.batch_tokens > 0 ? count > 0 && in_step + length > static_cast<std::uint64_t>(options.batch_tokens)
                                               : count >= static_cast<std::uint64_t>(options.batch_rows);
    if (full) {
      if (out.begins_.size() >= most_steps) {
        out.begins_.push_back(place);
        out.tokens_.push_back(tokens);
        return out;
      }
      out.begins_.push_back(place);
      out.tokens_.push_back(tokens);
      in_step = 0;
    }
    in_step += length;
    tokens += length;
  }
  out.begins_.push_back(places);
  out.tokens_.push_back(tokens);
  return out;
}

std::vector<std::uint32_t> Course::between(std::uint64_t begin, std::uint64_t end) const {
  std::vector<std::uint32_t> out;
  const std::uint64_t rows = lengths_.size();
  for (std::uint64_t place = begin; place < end;) {
    const std::uint64_t epoch = place / rows;
    const dataset::Shuffle order(seed_, epoch, rows);
    for (; place < end && place / rows == epoch; ++place) out.push_back(static_cast<std::uint32_t>(order.at(place % rows)));
  }
  return out;
}

std::vector<std::uint32_t> Course::rows(std::int64_t step) const {
  const auto at = static_cast<std::size_t>(step);
  return between(begins_[at], begins_[at + 1]);
}

double Course::epoch(std::int64_t steps) const {
  return static_cast<double>(begins_[static_cast<std::size_t>(steps)]) / static_cast<double>(lengths_.size());
}

std::uint64_t Course::tokens(std::int64_t step) const {
  const auto at = static_cast<std::size_t>(step);
  return tokens_[at + 1] - tokens_[at];
}

std::uint64_t Course::tokens_after(std::int64_t step) const {
  return tokens_.back() - tokens_[static_cast<std::size_t>(step)];
}

}  // namespace puna::trainer
