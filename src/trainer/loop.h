// The steps of a run, from where it is to its end, while its weights are in memory.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/error.h"
#include "trainer/checkpoints.h"
#include "trainer/evaluation.h"
#include "trainer/interview.h"
#include "trainer/materials.h"
#include "trainer/plan.h"
#include "trainer/teller.h"
#include "trainer/units.h"

namespace puna::trainer {

// In a run's folder.
inline constexpr std::string_view kAdapter = "adapter.gguf";
inline constexpr std::string_view kBest = "best.gguf";  // of the evaluations so far

// All that a run works on; the parts outlive it.
struct Stage {
  const std::filesystem::path& folder;
  const Materials& materials;
  Units& units;
  const Plan& plan;
  const Evaluation& evaluation;
  Checkpoints& checkpoints;
  Teller& teller;
};

struct Trained {
  Cursor cursor;
  std::string ended;  // "all steps", or why earlier
};
// Goes on from the newest checkpoint, and leaves kAdapter and a checkpoint of the last step. A stop leaves a checkpoint of the last whole
// step and Code::cancelled. The engine's memory is given back when it returns.
[[nodiscard]] Result<Trained> train(const Stage& stage, const std::stop_token& stop);

[[nodiscard]] Interview interview_for(const Materials& materials, const Plan& plan);

}  // namespace puna::trainer
