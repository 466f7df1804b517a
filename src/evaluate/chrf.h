// chrF: overlap of runs of characters with a reference. Popović, "chrF: character n-gram F-score for automatic MT evaluation", 2015.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace puna::evaluate {

// Counts over the answers so far, with the conventions of sacreBLEU's "chrF2": runs of 1 to 6 characters without blanks, recall weighs
// twice what precision does (beta = 2), a run's length that a text is too short for does not count, of several references the best one
// counts.
class ChrF {
 public:
  void add(std::string_view answer, std::span<const std::string> references);
  // From 0 to 100, of all answers as if they were one.
  [[nodiscard]] double score() const;

  static constexpr std::size_t kLongest = 6;
  struct Counts {
    std::size_t answered = 0;
    std::size_t wanted = 0;
    std::size_t common = 0;
  };
  using ByLength = std::array<Counts, kLongest>;

 private:
  ByLength counts_{};
};

}  // namespace puna::evaluate
