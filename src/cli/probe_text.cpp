#include "cli/probe_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace puna::cli {
namespace {

using wire::ProbeFinding;
using wire::ProbeOutcome;

struct Part {
  std::string_view name;
  ProbeFinding wire::ModelProbe::* finding;
};
constexpr std::array kParts = {
    Part{"loads", &wire::ModelProbe::loads},      Part{"writes", &wire::ModelProbe::writes},     Part{"embeds", &wire::ModelProbe::embeds},
    Part{"chat", &wire::ModelProbe::chat},        Part{"system", &wire::ModelProbe::system},     Part{"tools", &wire::ModelProbe::tools},
    Part{"calls", &wire::ModelProbe::tool_calls}, Part{"thinking", &wire::ModelProbe::thinking},
};

std::string_view word_of(ProbeOutcome outcome) {
  switch (outcome) {
    case ProbeOutcome::passed:
      return "works";
    case ProbeOutcome::failed:
      return "fails";
    case ProbeOutcome::absent:
      return "no";
    case ProbeOutcome::untried:
      return "not tried";
  }
  return "";
}

}  // namespace

std::string badges_of(const wire::ModelProbe& probe) {
  std::string out;
  const auto add = [&](std::string_view mark, std::string_view name) { out += fmt::format("{}{}{}", out.empty() ? "" : " ", mark, name); };
  for (const auto& part : kParts) {
    const auto outcome = (probe.*part.finding).outcome;
    // Every model that writes also loads, and takes system messages: only that it does not is news.
    const bool usual = part.name == "loads" || part.name == "system" || part.name == "calls" ||
                       (part.name == "writes" && probe.chat.outcome == ProbeOutcome::passed) ||
                       (part.name == "embeds" && probe.writes.outcome != ProbeOutcome::absent);
    if (outcome == ProbeOutcome::passed && !usual) add("", part.name);
    if (outcome == ProbeOutcome::failed) add("!", part.name);
    if (outcome == ProbeOutcome::untried && part.name == "loads") add("?", part.name);
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> findings_of(const wire::ModelProbe& probe) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& part : kParts) {
    const auto& finding = probe.*part.finding;
    const auto word = word_of(finding.outcome);
    out.emplace_back(part.name, finding.note ? fmt::format("{}: {}", word, *finding.note) : std::string(word));
  }
  return out;
}

bool something_fails(const wire::ModelProbe& probe) {
  return std::ranges::any_of(kParts, [&](const Part& part) { return (probe.*part.finding).outcome == ProbeOutcome::failed; });
}

}  // namespace puna::cli
