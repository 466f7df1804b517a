// The input of a batch: a JSON object on each line.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "batch/batch.h"
#include "os/descriptor.h"

namespace puna::batch {

inline constexpr std::int64_t kMostLines = 1'000'000;
inline constexpr std::size_t kMostErrors = 100;  // that are told

struct InputLine {
  std::int64_t number = 0;  // from 1
  std::string text;
};

class InputReader {
 public:
  InputReader(os::UniqueFd file, Bytes longest) : file_(std::move(file)), longest_(longest) {}
  // The next line that is not blank; nothing at the end. Code::too_large names a line beyond the limit.
  [[nodiscard]] Result<std::optional<InputLine>> next();

 private:
  os::UniqueFd file_;
  Bytes longest_;
  std::string buffer_;
  std::size_t begin_ = 0;
  std::int64_t number_ = 0;
  bool ended_ = false;
};

// A line that passed.
struct Entry {
  std::string custom_id;
  json::object body;
};

// {"custom_id", "method": "POST", "url", "body": {"model", …}}
[[nodiscard]] std::expected<Entry, LineError> read_entry(const InputLine& line, std::string_view endpoint);

// Judges the lines one after the other; what only a model can judge is left to its answer.
class InputCheck {
 public:
  explicit InputCheck(std::string endpoint) : endpoint_(std::move(endpoint)) {}
  void take(const InputLine& line);
  // Also when there was no line at all.
  [[nodiscard]] std::vector<LineError> errors() const;
  [[nodiscard]] std::int64_t lines() const { return lines_; }
  [[nodiscard]] const std::string& model() const { return model_; }  // of the first line

 private:
  void add(LineError error);

  std::string endpoint_;
  std::set<std::string> ids_;
  std::vector<LineError> errors_;
  std::int64_t lines_ = 0;
  std::string model_;
};

}  // namespace puna::batch
