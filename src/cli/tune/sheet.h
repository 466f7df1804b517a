// What is known of a run of training, for people.
#pragma once

#include <string>
#include <vector>

#include "cli/screen/console.h"
#include "wire/tune.h"

namespace puna::cli {

// "2.5e-04", "1.234": as many digits as tell one step from the next.
[[nodiscard]] std::string loss_text(double loss);
// "step 45 of 100, loss 1.234"
[[nodiscard]] std::string progress_of(const wire::TuneRun& run);
// Whether `puna tune resume` has something to do; and what: "goes on from step 12".
[[nodiscard]] bool can_be_resumed(const wire::TuneRun& run);
[[nodiscard]] std::string resumption_of(const wire::TuneRun& run);

void print_estimate(Stream& out, const wire::TuneEstimate& estimate);
// Rows as the model will see them; what is trained stands out, in brackets where there is no colour.
void print_preview(Stream& out, const wire::TunePreview& preview);
void print_result(Stream& out, const wire::TuneResult& result);
// Base and tuned model on the same rows.
void print_report(Stream& out, const wire::TuneReport& report);

}  // namespace puna::cli
