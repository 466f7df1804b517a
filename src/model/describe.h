// What the headers of a model's files say, as the API shows it.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "base/json.h"
#include "gguf/reader.h"
#include "wire/model.h"

namespace puna::model {

// Grows whenever details_of says something else about the same header: what is stored is then read anew.
inline constexpr std::int64_t kDescription = 3;

// The headers of all parts, the first one first; at least one.
[[nodiscard]] wire::ModelDetails details_of(std::span<const gguf::Header> parts);

struct FileOnDisk {
  wire::FileRole role = wire::FileRole::weights;
  std::string path;  // upstream's name
  std::filesystem::path place;
};

// Reads headers only. Code::corrupt_data when a file is not what its role says, was cut off, or when a part of the weights is missing;
// Code::invalid_argument when there are no weights.
[[nodiscard]] Result<wire::ModelDetails> describe(std::span<const FileOnDisk> files);
// The same, of a model that is given this chat template (Jinja) instead of its own.
[[nodiscard]] Result<wire::ModelDetails> describe(std::span<const FileOnDisk> files, const std::optional<std::string>& chat_template);

// Every key except the chat template. An array of more than 16 items is {"array_of": "string", "length": 49152}; text that is not UTF-8
// is made so.
[[nodiscard]] json::object metadata_of(const gguf::Header& header);
[[nodiscard]] std::optional<std::string> chat_template_of(const gguf::Header& header);

}  // namespace puna::model
