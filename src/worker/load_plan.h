// How a model is loaded: what was asked for, fitted to the model and the machine.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "base/units.h"
#include "gguf/reader.h"
#include "os/hardware.h"
#include "worker/arguments.h"

struct common_params;  // NOLINT(readability-identifier-naming): llama.cpp's

namespace puna::worker {

enum class Pooling { by_model, mean, rank };

struct LoadPlan {
  std::int32_t context_length = 0;  // tokens for each slot, at most what the model was trained for
  std::int32_t slots = 1;
  std::int32_t threads = 1;
  std::int32_t gpu_layers = -1;
  std::int32_t batch = 2048;       // tokens for one llama_decode
  std::int32_t micro_batch = 512;  // tokens for one pass over the weights
  Bytes prompt_cache;              // memory for the state of conversations that have no slot at the moment
  Pooling pooling = Pooling::by_model;
  std::string chat_template;  // Jinja; empty: the model's own
};

// Reads the chat template's file. Code::invalid_argument when the context of all slots together is beyond what llama.cpp counts.
[[nodiscard]] Result<LoadPlan> plan_load(const ServeArguments& arguments, const gguf::Header& header, const os::HardwareInfo& hardware);

// The plan in llama.cpp's terms, and everything switched off that reaches beyond the model: downloads, web interface, tools, files.
[[nodiscard]] common_params engine_parameters(const ServeArguments& arguments, const LoadPlan& plan, bool has_gpu);

}  // namespace puna::worker
