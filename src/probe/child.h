// The child process that tries a model.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>

#include "base/error.h"
#include "wire/probe.h"

namespace puna::probe {

struct ChildOrder {
  std::filesystem::path program;
  std::filesystem::path file;
  std::filesystem::path chat_template;  // empty: the model's own
  bool load = true;
};

// What it found; what it died of is a finding of that part. Code::cancelled: it was ended. Blocks.
[[nodiscard]] Result<wire::ModelProbe> run_child(const ChildOrder& order, const std::stop_token& stop);

// What was printed until `exit` (a text, "signal 11 (SEGV)"; empty: it ended well). Also for a text that breaks off.
[[nodiscard]] Result<wire::ModelProbe> read_findings(std::string_view text, std::string_view exit, bool killed);

}  // namespace puna::probe
