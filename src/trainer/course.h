// Which rows each step learns from: the same for the same seed, and enterable at any step.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"

namespace puna::trainer {

struct CourseOptions {
  std::optional<double> epochs;  // absent: as many as max_steps takes
  std::optional<std::int64_t> max_steps;
  std::int64_t batch_rows = 0;    // either so many rows a step,
  std::int64_t batch_tokens = 0;  // or whole rows up to so many tokens, one at least
  std::uint64_t seed = 0;
};

class Course {
 public:
  // `lengths`: tokens of each row. At least one row, at least one step.
  [[nodiscard]] static Result<Course> create(std::vector<std::uint32_t> lengths, const CourseOptions& options);

  [[nodiscard]] std::int64_t steps() const { return static_cast<std::int64_t>(begins_.size()) - 1; }
  // The rows of step 0, 1, ...
  [[nodiscard]] std::vector<std::uint32_t> rows(std::int64_t step) const;
  // Passes over the data after so many steps.
  [[nodiscard]] double epoch(std::int64_t steps) const;
  [[nodiscard]] std::uint64_t tokens(std::int64_t step) const;
  [[nodiscard]] std::uint64_t tokens_after(std::int64_t step) const;  // of all steps from this one on
  [[nodiscard]] std::span<const std::uint32_t> lengths() const { return lengths_; }

 private:
  Course(std::vector<std::uint32_t> lengths, std::uint64_t seed) : lengths_(std::move(lengths)), seed_(seed) {}
  // What stands at a place of the sequence in which all epochs follow each other.
  [[nodiscard]] std::vector<std::uint32_t> between(std::uint64_t begin, std::uint64_t end) const;

  std::vector<std::uint32_t> lengths_;
  std::uint64_t seed_;
  std::vector<std::uint64_t> begins_;  // of each step in that sequence; the last is its end
  std::vector<std::uint64_t> tokens_;  // of the steps before
};

}  // namespace puna::trainer
