// Models as Hugging Face stores them for training: safetensors files beside a config.json. They can be kept and shown, not run.
#pragma once

#include <filesystem>
#include <span>

#include "base/error.h"
#include "model/describe.h"

namespace puna::model {

// By the file's beginning; false for what is too short to be either.
[[nodiscard]] Result<bool> is_safetensors(const std::filesystem::path& file);

// Number and types of the tensors from the files' headers; architecture and context length from config.json where there is one.
[[nodiscard]] Result<wire::ModelDetails> describe_safetensors(std::span<const FileOnDisk> files);

}  // namespace puna::model
