// The command line of `puna worker`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "wire/profile.h"

namespace puna::worker {

enum class Mode { generate, embed, rank };

// A LoRA adapter.
struct AdapterArgument {
  std::filesystem::path file;
  double scale = 1;
};

// Guessing ahead: by a smaller model, by what the context already says, or by both.
struct SpeculationArguments {
  std::filesystem::path draft;  // empty: none
  std::optional<wire::NgramMethod> ngram;
  std::optional<std::int64_t> ngram_size;   // tokens that are looked up
  std::optional<std::int64_t> draft_max;    // tokens
  std::optional<std::int64_t> draft_min;    // tokens
  std::optional<double> draft_probability;  // a draft ends before a token that is less likely
};

// Conversations that outlive the worker.
struct WarmthArguments {
  std::filesystem::path folder;  // of the model's saved states; empty: nothing is saved
  Bytes disk;                    // for the states in it and in the folders beside
  std::int64_t least = 256;      // tokens of a conversation that is worth saving
};

// What is absent is as llama.cpp has it.
struct ServeArguments {
  std::filesystem::path model;
  std::filesystem::path socket;           // ends in ".sock"
  std::string name;                       // the model's, in answers
  std::filesystem::path projector;        // for images and sound; empty: none
  std::vector<AdapterArgument> adapters;  // LoRA
  std::filesystem::path chat_template;    // Jinja; empty: the model's own
  std::int64_t context_length = 0;        // tokens for each slot; 0: what the model was trained for
  std::int64_t slots = 1;
  std::int64_t threads = 0;  // 0: one for each physical core
  std::int64_t gpu_layers = -1;
  std::optional<std::int64_t> batch;
  std::optional<std::int64_t> micro_batch;
  std::optional<wire::CacheType> cache_type_k;
  std::optional<wire::CacheType> cache_type_v;
  std::optional<wire::Switch> flash_attention;
  SpeculationArguments speculation;
  WarmthArguments warmth;
  Mode mode = Mode::generate;
  std::optional<int> status_fd;  // where wire::WorkerStatus lines go
};

struct CheckArguments {
  std::filesystem::path file;
};

// Reads `source` (of several parts: the first), writes `output`.
struct QuantizeArguments {
  std::filesystem::path source;
  std::filesystem::path output;
  std::int64_t file_type = -1;    // GGUF's general.file_type: which mixture of types
  std::int64_t threads = 0;       // 0: one for each usable core
  std::filesystem::path imatrix;  // empty: none
  bool requantize = false;        // take quantized tensors as a source
  bool plan_only = false;         // writes nothing, tells what each tensor would become
};

struct TrialArguments {
  std::filesystem::path file;
};

// What can a model do?
struct ProbeArguments {
  std::filesystem::path file;
  std::filesystem::path chat_template;  // Jinja; empty: the model's own
  bool load = true;                     // the weights, too
};

struct DevicesArguments {};

using Arguments = std::variant<ServeArguments, CheckArguments, QuantizeArguments, TrialArguments, ProbeArguments, DevicesArguments>;

// Code::invalid_argument names the option and what it takes.
[[nodiscard]] Result<Arguments> parse_arguments(std::span<const std::string_view> words);

}  // namespace puna::worker
