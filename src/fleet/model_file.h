// What a worker is given to load.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace puna::fleet {

struct ModelFile {
  std::string name;                             // the full name: two ways to write it share one worker
  std::filesystem::path file;                   // of several parts: the first, with the others beside it
  std::vector<std::filesystem::path> parts;     // the others
  std::filesystem::path projector;              // empty: none
  std::vector<std::filesystem::path> adapters;  // LoRA
  std::filesystem::path chat_template;          // Jinja; empty: the file's own
  std::optional<std::int64_t> context;          // tokens for each slot, instead of the setting
  bool operator==(const ModelFile&) const = default;

  // Everything that goes into memory.
  [[nodiscard]] std::vector<std::filesystem::path> loaded() const {
    std::vector<std::filesystem::path> out = {file};
    out.insert(out.end(), parts.begin(), parts.end());
    out.insert(out.end(), adapters.begin(), adapters.end());
    if (!projector.empty()) out.push_back(projector);
    return out;
  }
};

}  // namespace puna::fleet
