// A page of metrics as Prometheus reads them: https://prometheus.io/docs/instrumenting/exposition_formats/ (text, version 0.0.4).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace puna::metrics {

inline constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

// How often values were at most each bound.
class Histogram {
 public:
  explicit Histogram(std::span<const double> bounds) : bounds_(bounds), counts_(bounds.size() + 1) {}
  void observe(double value);
  [[nodiscard]] std::span<const double> bounds() const { return bounds_; }
  [[nodiscard]] std::span<const std::uint64_t> counts() const { return counts_; }  // of each bucket alone; the last is beyond all bounds
  [[nodiscard]] double sum() const { return sum_; }

 private:
  std::span<const double> bounds_;  // ascending; a constant
  std::vector<std::uint64_t> counts_;
  double sum_ = 0;
};

enum class Kind { counter, gauge, histogram };

using Label = std::pair<std::string_view, std::string_view>;
using Labels = std::initializer_list<Label>;

class TextPage {
 public:
  // The samples that follow are of this family.
  void family(std::string_view name, Kind kind, std::string_view help);
  void sample(Labels labels, double value);
  void sample(double value) { sample({}, value); }
  void histogram(Labels labels, const Histogram& histogram);
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  void line(std::string_view suffix, Labels labels, std::string_view le, double value);

  std::string family_;
  std::string text_;
};

}  // namespace puna::metrics
