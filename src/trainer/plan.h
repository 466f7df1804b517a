// A run in numbers: what its settings come to with this base and these rows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "trainer/course.h"
#include "trainer/materials.h"
#include "trainer/units.h"
#include "tune/trainer.h"
#include "wire/tune.h"

namespace puna::trainer {

struct Plan {
  wire::TuneSettings settings;  // complete
  tune::TrainerOptions options;
  Course course;
  std::size_t threads = 1;
  std::size_t capacity = 0;  // tokens of a micro-batch, at most; options.pass.most_tokens is what the fullest one has
  Packing packing = Packing::best_fit;
  std::int64_t eval_every = 0;  // steps; 0: there is nothing to evaluate
  std::int64_t checkpoint_every = 0;
};

// Code::invalid_argument for settings that do not fit: a micro-batch smaller than the longest row, a warm-up longer than the run, targets
// or ranks that the base has not, a device that is not here.
[[nodiscard]] Result<Plan> make_plan(const Materials& materials, const Units& units, const Units& evaluation);
// What settings say of the engine, without the lengths of rows.
[[nodiscard]] Result<tune::TrainerOptions> trainer_options(const wire::TuneSettings& settings);
// What `as_fits` comes to, by the memory that keeping everything takes and what is free: three quarters stay for chatting beside it.
[[nodiscard]] tune::Recompute recompute_for(Bytes keeping, Bytes available);
// Of this machine, unless the settings or the daemon's say.
[[nodiscard]] std::size_t threads_for(const wire::TuneSettings& settings, const wire::TuneOrder& order);

}  // namespace puna::trainer
