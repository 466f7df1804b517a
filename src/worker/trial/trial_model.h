// One model in this process, without a GPU and with a short context, for a trial.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/error.h"

struct llama_model;

namespace puna::worker {

class EngineLog;

struct FreeTrialModel {
  void operator()(llama_model* model) const;
};
using TrialModel = std::unique_ptr<llama_model, FreeTrialModel>;

// none: vocabulary and metadata only. mapped: pages are read as they are needed. verified: every number of every tensor is looked at.
enum class TrialWeights : std::uint8_t { none, mapped, verified };
// Code::corrupt_data, Code::out_of_memory. Throws what llama.cpp throws.
[[nodiscard]] Result<TrialModel> load_for_trial(const std::filesystem::path& file, TrialWeights weights, const EngineLog& log);

enum class TrialTask : std::uint8_t { write, embed };
// What a model is made for: one without a decoder, or with an encoder, embeds.
[[nodiscard]] TrialTask usual_task(const llama_model* model);
// Computes one token; Code::corrupt_data unless finite numbers come out.
[[nodiscard]] Result<> compute_once(llama_model* model, TrialTask task, const EngineLog& log);

}  // namespace puna::worker
