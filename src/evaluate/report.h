// What came of a run, as a page for people.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "wire/tune.h"

namespace puna::evaluate {

struct RunStory {
  const wire::TuneRequest& request;
  const wire::TuneSettings& settings;  // complete
  const wire::TuneResult& result;
  std::span<const wire::TuneEvent> metrics;
  std::string_view plot;  // where loss_plot() stands, relative to the page; empty: no picture
};

// Markdown: result, curve, scores of base and tuned model on the same rows, their answers side by side, settings. What models and files
// said is escaped: it shows as it is and forms nothing.
[[nodiscard]] std::string report_page(const RunStory& story);

}  // namespace puna::evaluate
