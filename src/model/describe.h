// What a file's header says, as the API shows it.
#pragma once

#include "base/json.h"
#include "gguf/reader.h"
#include "wire/model.h"

namespace puna::model {

// Grows whenever details_of says something else about the same header: what is stored is then read anew.
inline constexpr std::int64_t kDescription = 1;

[[nodiscard]] wire::ModelDetails details_of(const gguf::Header& header);

// Every key except the chat template. An array of more than 16 items is {"array_of": "string", "length": 49152}; text that is not UTF-8
// is made so.
[[nodiscard]] json::object metadata_of(const gguf::Header& header);
[[nodiscard]] std::optional<std::string> chat_template_of(const gguf::Header& header);

}  // namespace puna::model
