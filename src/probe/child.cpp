#include "probe/child.h"

#include <fmt/format.h>
#include <signal.h>

#include <optional>

#include "base/text.h"
#include "fleet/child_report.h"

namespace puna::probe {
namespace {

using wire::ProbeOutcome;

// At the lowest priority, and from a slow disk.
constexpr std::chrono::hours kDeadline{1};

wire::ProbeFinding* member(wire::ModelProbe& probe, std::string_view name) {
  wire::ProbeFinding* out = nullptr;
  boost::mp11::mp_for_each<boost::describe::describe_members<wire::ModelProbe, boost::describe::mod_public>>([&](auto descriptor) {
    auto& value = probe.*descriptor.pointer;
    if constexpr (std::is_same_v<decltype(value), wire::ProbeFinding&>)
      if (name == descriptor.name) out = &value;
  });
  return out;
}

}  // namespace

Result<wire::ModelProbe> read_findings(std::string_view text, std::string_view exit, bool killed) {
  wire::ModelProbe out;
  std::optional<std::string> under_way;
  std::string words;
  for (const auto& each : split(text, '\n')) {
    const auto line = json::decode_text<wire::ProbeLine>(each, json::Unknown::ignore);
    if (!line) continue;  // ignored: something in llama.cpp prints by itself
    if (line->findings) out = *line->findings;
    if (line->begins) under_way = line->begins;
    if (line->message) words = *line->message;
    if (line->error) return fail(code_from_name(line->error->code).value_or(Code::upstream_failed), line->error->message);
    if (line->finished.value_or(false)) return out;
  }
  auto* const died = under_way ? member(out, *under_way) : nullptr;
  if (died == nullptr) return fail(Code::upstream_failed, fmt::format("the child that tries it did not begin ({})", exit));
  if (killed)
    *died = {ProbeOutcome::untried, "it was killed from outside, most likely because memory ran out"};
  else
    *died = {ProbeOutcome::failed, fmt::format("llama.cpp does not survive it ({}){}", exit, words.empty() ? "" : ": " + words)};
  return out;
}

Result<wire::ModelProbe> run_child(const ChildOrder& order, const std::stop_token& stop) {
  std::vector<std::string> argv = {order.program.string(), "worker", "--probe", order.file.string(), "--load", order.load ? "yes" : "no"};
  if (!order.chat_template.empty()) argv.insert(argv.end(), {"--chat-template-file", order.chat_template.string()});
  PUNA_TRY(const auto report, fleet::run_for_report({.argv = std::move(argv), .deadline = kDeadline}, stop));
  return read_findings(report.text, report.exit.text(), report.exit.signal == SIGKILL);
}

}  // namespace puna::probe
