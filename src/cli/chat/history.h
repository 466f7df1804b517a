// What was typed into chats before, kept across them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"

namespace puna::cli {

// One JSON text a line, mode 0600; the newest are kept. Several chats may append at the same time.
class InputHistory {
 public:
  // A file that is not there yet is an empty history; lines that are not JSON texts are passed over.
  [[nodiscard]] static Result<InputHistory> open(std::filesystem::path file, std::size_t limit = 1000);

  [[nodiscard]] const std::vector<std::string>& entries() const { return entries_; }  // oldest first
  // Nothing that is empty or was typed just before.
  [[nodiscard]] Result<> add(const std::string& text);

 private:
  InputHistory(std::filesystem::path file, std::vector<std::string> entries) : file_(std::move(file)), entries_(std::move(entries)) {}

  std::filesystem::path file_;
  std::vector<std::string> entries_;
};

}  // namespace puna::cli
