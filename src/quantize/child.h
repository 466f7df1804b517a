// A child of this program that tells wire::QuantizeLine.
#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "wire/quantize.h"

namespace puna::quantize {

struct Child {
  std::filesystem::path program;
  std::vector<std::string> words;  // after "worker"
  std::filesystem::path log;       // takes its stderr; whoever started it removes it
};

// Runs it to its end and hears every line. Its own error keeps its code; a death without one is Code::out_of_memory (SIGKILL that was not
// ours), else Code::upstream_failed with its last words. Code::cancelled within 100 ms of `stop`: it is killed. Code::deadline_exceeded
// when it says nothing for an hour. Blocks.
[[nodiscard]] Result<> run_child(const Child& child, const std::function<void(const wire::QuantizeLine&)>& on_line,
                                 const std::stop_token& stop);

}  // namespace puna::quantize
