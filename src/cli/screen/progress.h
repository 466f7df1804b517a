// One line of progress that is drawn over itself; as plain lines where there is no terminal.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "cli/screen/console.h"
#include "wire/job.h"

namespace puna::cli {

// "downloading   45% ▕████████         ▏ 42.3 MiB/93.8 MiB  12.1 MiB/s  4s": what fits in `width` columns, without line break.
[[nodiscard]] std::string progress_line(const wire::JobProgress& progress, std::size_t width);
// The same without a bar.
[[nodiscard]] std::string progress_text(const wire::JobProgress& progress);
// "loading smollm2   45% ▕██████      ▏".
[[nodiscard]] std::string fraction_line(std::string_view what, double fraction, std::size_t width);

enum class Narration { full, quiet };

// On standard error. Redraws at most ten times a second; without a terminal it says each phase once. Erased when destroyed.
class ProgressLine {
 public:
  ProgressLine(Stream& stream, Narration narration) : stream_(stream), narration_(narration) {}
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() { clear(); }

  void show(const wire::JobProgress& progress);
  void show(std::string_view what, double fraction);
  void clear();

 private:
  [[nodiscard]] std::size_t room() const;
  void draw(std::string_view phase, const std::string& line);
  [[nodiscard]] std::string back_to_its_beginning() const;

  Stream& stream_;
  Narration narration_;
  bool drawn_ = false;
  std::size_t columns_ = 0;  // of the line that is there
  std::string phase_;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace puna::cli
