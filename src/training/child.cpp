#include "training/child.h"

#include <optional>

#include "os/line_child.h"

namespace puna::training {
namespace {

constexpr std::chrono::seconds kTimeToSave{15};
constexpr Bytes kLongestEvent = mib(16);  // with the samples of an evaluation

}  // namespace

Result<> run_child(const Child& child, const std::function<void(const wire::TuneEvent&)>& on_event, const std::stop_token& stop) {
  std::vector<std::string> argv = {child.program.string(), "trainer"};
  argv.insert(argv.end(), child.words.begin(), child.words.end());
  argv.push_back(child.folder.path().string());
  bool finished = false;
  std::optional<Error> error;
  const auto hear = [&](std::string_view text) {
    const auto event = json::decode_text<wire::TuneEvent>(text, json::Unknown::ignore);
    // ignored: no line of ours; something in llama.cpp prints by itself
    if (!event) return;
    finished = finished || event->kind == wire::TuneEventKind::finished;
    if (event->error) error = Error(code_from_name(event->error->code).value_or(Code::upstream_failed), event->error->message);
    on_event(*event);
  };
  PUNA_TRY(const auto exit, os::run_line_child({.argv = std::move(argv),
                                                .log = child.folder.log(),
                                                .old_log = os::OldLog::append,
                                                .grace = kTimeToSave,
                                                .longest_line = kLongestEvent},
                                               hear, stop));
  if (error) return fail(std::move(*error));
  if (finished && exit.ok()) return {};
  return fail(os::unexplained_end(exit, child.folder.log(), "the trainer", "end other programs or take a smaller context, then resume it"));
}

}  // namespace puna::training
