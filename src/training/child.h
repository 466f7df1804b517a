// The child that trains: `puna trainer`.
#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "training/run_folder.h"
#include "wire/tune.h"

namespace puna::training {

struct Child {
  std::filesystem::path program;
  std::vector<std::string> words;  // after "trainer", before the folder
  const RunFolder& folder;
};

// Runs it to its end and hears every event. Its own error keeps its code; a death without one is Code::out_of_memory (SIGKILL that was not
// ours), else Code::upstream_failed with its last words. Code::cancelled after a stop: it has time to save what it learnt. Blocks.
[[nodiscard]] Result<> run_child(const Child& child, const std::function<void(const wire::TuneEvent&)>& on_event,
                                 const std::stop_token& stop);

}  // namespace puna::training
