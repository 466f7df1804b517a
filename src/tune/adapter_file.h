// Adapters as files that llama.cpp loads: GGUF with general.type "adapter", F32.
#pragma once

#include <filesystem>

#include "base/error.h"
#include "gguf/writer.h"
#include "tune/adapter.h"
#include "tune/model.h"

namespace puna::tune {

// Adds the adapter's tensors and what llama.cpp needs to know of it. The adapter must outlive the writer. llama.cpp scales each pair by
// alpha / rank with one alpha for the file; where that is not a pair's scale, the rest is multiplied into B.
[[nodiscard]] Result<> describe_adapter(gguf::Writer& writer, const Model& model, const Adapter& adapter);
[[nodiscard]] Result<> write_adapter(const std::filesystem::path& path, const Model& model, const Adapter& adapter);

// Any LoRA in this form, in any tensor type, for this model. Code::invalid_argument when it is for another model, Code::unsupported when it
// touches what this build does not train, Code::corrupt_data when it is not whole.
[[nodiscard]] Result<Adapter> read_adapter(const std::filesystem::path& path, const Model& model, float dropout = 0);

}  // namespace puna::tune
