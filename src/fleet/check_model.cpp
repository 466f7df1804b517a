#include "fleet/check_model.h"

#include <fmt/format.h>

#include "fleet/child_report.h"
#include "wire/worker.h"

namespace puna::fleet {
namespace {

Result<gguf::Summary> read_summary(const std::string& report, const os::ExitStatus& exit) {
  const auto decoded = json::decode_text<wire::CheckReport>(report, json::Unknown::ignore).value_or(wire::CheckReport());
  if (const auto& error = decoded.error) return fail(code_from_name(error->code).value_or(Code::corrupt_data), error->message);
  if (const auto& summary = decoded.summary) return json::decode<gguf::Summary>(*summary, json::Unknown::ignore);
  return fail(Code::corrupt_data, fmt::format("the checker did not survive it ({})", exit.text()));
}

}  // namespace

Result<gguf::Summary> check_model(const std::filesystem::path& program, const std::filesystem::path& file, const CheckLimits& limits,
                                  std::stop_token stop) {
  const auto report = run_for_report(
      {.argv = {program.string(), "worker", "--check", file.string()}, .deadline = limits.deadline, .memory = limits.memory}, stop);
  auto summary = report ? read_summary(report->text, report->exit) : Result<gguf::Summary>(fail(report.error()));
  if (!summary) return fail(std::move(summary.error()).within(file.filename().string()));
  return summary;
}

}  // namespace puna::fleet
