// What a run tells while it lasts: to the daemon, and into the files of its folder.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "base/error.h"
#include "os/descriptor.h"
#include "trainer/tensorboard.h"
#include "wire/tune.h"

namespace puna::trainer {

class Teller {
 public:
  // Tells the daemon only.
  Teller() = default;
  // Writes metrics.jsonl and TensorBoard's files in the folder as well. Of a run that goes on after `step` steps, what was written of later
  // ones is taken back: they will be made again.
  [[nodiscard]] static Result<Teller> open(const std::filesystem::path& folder, std::int64_t step);

  // One line on the standard output; and, unless it is about a phase or the end, in the files. Code::disk_full.
  [[nodiscard]] Result<> tell(wire::TuneEvent event);
  // How far something is: at most ten times a second.
  [[nodiscard]] Result<> phase(std::string name, std::int64_t done = 0, std::optional<std::int64_t> total = {}, std::string unit = "rows");

 private:
  std::optional<os::UniqueFd> metrics_;
  std::optional<EventFile> tensorboard_;
  std::string phase_;
  std::chrono::steady_clock::time_point told_;
};

}  // namespace puna::trainer
