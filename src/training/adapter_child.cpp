#include "training/adapter_child.h"

#include <fmt/format.h>
#include <signal.h>

#include "base/json.h"
#include "os/file.h"
#include "os/line_child.h"

namespace puna::training {
namespace {

Error unexplained_end(const os::ExitStatus& exit, const std::filesystem::path& log) {
  if (exit.signal == SIGKILL)
    return {Code::out_of_memory, "it was killed from outside, most likely because memory ran out; end other programs, then try again"};
  const auto last = os::last_line_of(log);
  return {Code::upstream_failed, fmt::format("the work did not survive it ({}){}", exit.text(), last.empty() ? "" : ": " + last)};
}

}  // namespace

Result<std::optional<wire::MergeResult>> run_adapter_child(const std::filesystem::path& program, const std::filesystem::path& folder,
                                                           const wire::AdapterOrder& order, jobs::JobContext& context) {
  const auto file = folder / "order.json";
  const auto log = folder / "log";
  PUNA_CHECK(os::write_file_atomic(file, json::pretty(json::encode(order))));
  std::optional<wire::MergeResult> merged;
  std::optional<Error> error;
  bool finished = false;
  const auto hear = [&](std::string_view text) {
    const auto line = json::decode_text<wire::AdapterLine>(text, json::Unknown::ignore);
    // ignored: no line of ours; something in llama.cpp prints by itself
    if (!line) return;
    if (line->phase) context.progress({.done = line->done.value_or(0), .total = line->total, .unit = "bytes", .phase = *line->phase});
    if (line->merged) merged = line->merged;
    if (line->error) error = Error(code_from_name(line->error->code).value_or(Code::upstream_failed), line->error->message);
    finished = finished || line->finished.value_or(false);
  };
  PUNA_TRY(const auto exit, os::run_line_child({.argv = {program.string(), "adapter", file.string()}, .log = log}, hear, context.stop()));
  if (error) return fail(std::move(*error));
  if (!finished || !exit.ok()) return fail(unexplained_end(exit, log));
  return merged;
}

}  // namespace puna::training
