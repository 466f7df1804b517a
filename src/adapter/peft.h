// LoRA adapters as PEFT keeps them: a folder with adapter_config.json and adapter_model.safetensors, named and ordered after the model's
// form for transformers. Source of both: PEFT's documentation ("Checkpoint format", LoraConfig); of the order of rows: llama.cpp's
// convert_hf_to_gguf.py, which permutes what turns in the rotary embedding.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"
#include "tune/adapter.h"
#include "tune/model.h"

namespace puna::adapter {

inline constexpr std::string_view kPeftConfig = "adapter_config.json";
inline constexpr std::string_view kPeftWeights = "adapter_model.safetensors";

// Writes both files into a folder that exists, in F32. `base_model` is the name or path that PEFT loads the base from; may be empty, then
// whoever loads the adapter names it.
[[nodiscard]] Result<> write_peft(const std::filesystem::path& folder, const tune::Model& model, const tune::Adapter& adapter,
                                  const std::string& base_model);

// From a folder in that form, in F32, F16 or BF16. Code::unsupported names what it has beyond LoRA on the maps that this build trains,
// Code::invalid_argument what does not fit the model, Code::corrupt_data what is not whole.
[[nodiscard]] Result<tune::Adapter> read_peft(const std::filesystem::path& folder, const tune::Model& model);

}  // namespace puna::adapter
