// A run of training, drawn while it goes on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/screen/console.h"
#include "cli/screen/plot.h"
#include "cli/screen/progress.h"
#include "wire/tune.h"

namespace puna::cli {

// On a terminal: the curves of the loss and a line of figures, drawn over themselves at most ten times a second; what the run says in
// words (notes, samples) stays above. Elsewhere plain lines: phases, about twenty steps of the run, evaluations, words.
class RunScreen {
 public:
  RunScreen(Stream& stream, Narration narration) : stream_(stream), narration_(narration) {}
  RunScreen(const RunScreen&) = delete;
  RunScreen& operator=(const RunScreen&) = delete;
  ~RunScreen() { close(); }

  void take(const wire::TuneEvent& event);
  // Draws what was held back; the picture stays.
  void close();

 private:
  void remember(const wire::TuneEvent& event);
  void say(const wire::TuneEvent& event);          // what stays
  void say_plainly(const wire::TuneEvent& event);  // what there is no picture of without a terminal
  void print(const std::string& line);
  void draw();
  void erase();
  [[nodiscard]] std::string back_to_its_beginning() const;
  [[nodiscard]] std::vector<std::string> picture() const;
  [[nodiscard]] std::string figures() const;

  Stream& stream_;
  Narration narration_;
  PlotCurve loss_{.name = "loss", .tone = Tone::accent, .points = {}};
  PlotCurve evaluation_{.name = "evaluation", .tone = Tone::warning, .points = {}};
  std::optional<wire::TuneEvent> step_;
  std::string phase_;
  double share_ = 0;  // of the phase
  std::string told_phase_;
  std::int64_t told_twentieth_ = -1;
  std::vector<std::size_t> drawn_;  // columns of the lines that are there, the cursor below them
  bool stale_ = false;              // there is something newer than what is drawn
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace puna::cli
