// One attempt of the job "tune".
#pragma once

#include <functional>

#include "base/error.h"
#include "jobs/spec.h"
#include "training/run_folder.h"
#include "training/tuning.h"
#include "wire/tune.h"

namespace puna::training {

// Trains from where the run is to its end, and puts the adapter into the library. `on_event` hears what faces are shown.
[[nodiscard]] Result<wire::TuneResult> run_job(const TuningParts& parts, const RunFolder& folder, jobs::JobContext& context,
                                               const std::function<void(wire::TuneEvent)>& on_event);

}  // namespace puna::training
