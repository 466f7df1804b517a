// Making a model as Ollama's clients ask for it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/json.h"

namespace puna::api::ollama {

struct Creation {
  std::string recipe;                // TOML, for wire::CreateModel
  std::vector<std::string> uploads;  // SHA-256 of the files that were brought for it
  std::string quantize;              // a level; empty: as it is
};

// From a checked body of /api/create; `find` says where the content of a digest lies. Code::invalid_argument, Code::unsupported,
// Code::not_found name the member.
[[nodiscard]] Result<Creation> read_creation(const json::object& body,
                                             const std::function<Result<std::filesystem::path>(const std::string& sha256)>& find);

}  // namespace puna::api::ollama
