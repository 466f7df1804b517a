// A model and its adapter as one model: W' = W + s B A, computed in 32 bits and rounded once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "base/error.h"
#include "base/units.h"
#include "gguf/types.h"
#include "tune/adapter.h"
#include "tune/arithmetic/team.h"
#include "tune/model.h"

namespace puna::adapter {

// Whether a tensor may become narrower than it is in the base.
enum class Narrowing : std::uint8_t { allowed, refused };

struct MergeCall {
  std::span<const std::filesystem::path> base;  // the parts of one model, in order
  const tune::Model& model;                     // the same, open
  const tune::Adapter& adapter;
  std::optional<gguf::TensorType> type = {};  // f32, f16, bf16 or q8_0 for the tensors that change; absent: what each has in the base
  Narrowing narrowing = Narrowing::allowed;
  std::string name;  // general.name of the new model; empty: the base's
  tune::Team& team;
};

struct MergeOutcome {
  std::size_t tensors = 0;  // that changed
  // |rounding of what was written| / |change by the adapter|, over all of them: 0.1 means that a tenth of it was lost.
  double rounding = 0;
};

// Told now and then; `done` never falls. In bytes of the base's tensors.
using Progress = std::function<void(Bytes done, Bytes total)>;

// The file appears complete or not at all. All that the adapter does not change is as in the base, byte for byte; a base in several parts
// becomes one file. Code::unsupported when a tensor's type cannot be written, Code::cancelled within the time of one tensor's slice.
[[nodiscard]] Result<MergeOutcome> merge(const MergeCall& call, const std::filesystem::path& output, const Progress& progress = {},
                                         const std::stop_token& stop = {});

// Whether a tensor that the adapter changes has fewer bits in the base.
[[nodiscard]] bool would_widen(const MergeCall& call, gguf::TensorType type);

}  // namespace puna::adapter
