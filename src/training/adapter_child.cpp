#include "training/adapter_child.h"

#include "base/json.h"
#include "os/file.h"
#include "os/line_child.h"

namespace puna::training {
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
  if (!finished || !exit.ok()) return fail(os::unexplained_end(exit, log, "the work"));
  return merged;
}

}  // namespace puna::training
