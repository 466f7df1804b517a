// Where a worker's output goes.
#pragma once

#include <deque>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/units.h"

namespace puna::fleet {

// Whether the name can stand in a command line, a file name and a log: letters, digits and ". _ - : / @ +", at most 200 of them, beginning
// with a letter or digit, without ".." as a part.
[[nodiscard]] Result<> check_model_name(std::string_view name);

// "worker-owner+model@tag.log"; different models have different files.
[[nodiscard]] std::filesystem::path worker_log_file(const std::filesystem::path& folder, std::string_view model);

// The output of one worker: the last lines in memory, and all of them in a file, each with the time it came. The file is opened for each
// batch and found by its name, so that two workers of one model can share it.
class WorkerLog {
 public:
  struct Limits {
    Bytes file_size = mib(10);
    std::size_t files = 5;  // FILE, FILE.1 and so on
  };
  WorkerLog(std::filesystem::path file, Limits limits) : file_(std::move(file)), limits_(limits) {}

  // Bytes as they arrive; a line counts when it is complete. Code of the file system when the file cannot be written: the lines are
  // remembered all the same.
  Result<> add(std::string_view bytes);
  Result<> finish();  // an unfinished last line counts too
  [[nodiscard]] std::vector<std::string> last_lines() const { return {lines_.begin(), lines_.end()}; }

 private:
  void take_line(std::string_view line, std::string& batch);
  Result<> write(const std::string& batch) const;
  void rotate() const;

  std::filesystem::path file_;
  Limits limits_;
  std::string partial_;
  std::deque<std::string> lines_;
};

}  // namespace puna::fleet
