#include "quantize/child.h"

#include <optional>

#include "os/line_child.h"

namespace puna::quantize {
namespace {

Code code_of(wire::WorkerFault fault) {
  return fault == wire::WorkerFault::out_of_memory ? Code::out_of_memory : Code::upstream_failed;
}

// What the child said that decides the outcome.
struct Outcome {
  bool finished = false;
  std::optional<Error> error;

  void hear(const wire::QuantizeLine& line) {
    finished = finished || line.finished.value_or(false);
    if (line.error) error = Error(code_from_name(line.error->code).value_or(Code::upstream_failed), line.error->message);
    if (line.fault) error = Error(code_of(*line.fault), line.message.value_or("it crashed"));
  }
};

}  // namespace

Result<> run_child(const Child& child, const std::function<void(const wire::QuantizeLine&)>& on_line, const std::stop_token& stop) {
  std::vector<std::string> argv = {child.program.string(), "worker"};
  argv.insert(argv.end(), child.words.begin(), child.words.end());
  Outcome outcome;
  const auto hear = [&](std::string_view text) {
    const auto line = json::decode_text<wire::QuantizeLine>(text, json::Unknown::ignore);
    // ignored: no line of ours; something in llama.cpp prints by itself
    if (!line) return;
    outcome.hear(*line);
    on_line(*line);
  };
  PUNA_TRY(const auto exit, os::run_line_child({.argv = std::move(argv), .log = child.log}, hear, stop));
  if (outcome.error) return fail(std::move(*outcome.error));
  if (outcome.finished && exit.ok()) return {};
  return fail(os::unexplained_end(exit, child.log, "llama.cpp"));
}

}  // namespace puna::quantize
