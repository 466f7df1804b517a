// A short-lived child of our own program that looks into something and prints what it found.
#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "os/process.h"

namespace puna::fleet {

struct ChildReport {
  std::string text;
  os::ExitStatus exit;
};

struct ReportOrder {
  std::vector<std::string> argv;
  os::Environment environment = os::child_environment();
  Milliseconds deadline{60'000};
  std::optional<Bytes> memory = std::nullopt;  // address space of the child
};

// Everything the child prints until it ends. Blocks. Code::deadline_exceeded, Code::cancelled: the child is killed then.
[[nodiscard]] Result<ChildReport> run_for_report(const ReportOrder& order, const std::stop_token& stop = {});

}  // namespace puna::fleet
