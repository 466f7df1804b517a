#include "fleet/probe_compute.h"

#include <fmt/format.h>

#include "fleet/child_report.h"
#include "fleet/engine.h"

namespace puna::fleet {
namespace {

constexpr Milliseconds kPatience{30'000};  // a driver may compile its kernels

}  // namespace

Result<wire::Compute> probe_compute(const std::filesystem::path& program) {
  PUNA_TRY(
      const auto report,
      run_for_report({.argv = {program.string(), "worker", "--devices"}, .environment = worker_environment({}), .deadline = kPatience}));
  if (!report.exit.ok()) return fail(Code::upstream_failed, fmt::format("asking the devices failed ({})", report.exit.text()));
  return json::decode_text<wire::Compute>(report.text, json::Unknown::ignore);
}

}  // namespace puna::fleet
