#include "model/probes.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/version.h"
#include "os/sha256.h"

namespace puna::model {
namespace {

using wire::ProbeOutcome;

// Of what is tried: raised, it has every model tried again, as a new engine does.
constexpr int kSuite = 1;
// Models of other programs come and go; a result that nobody asked for in this time is not kept.
constexpr std::chrono::days kKept{90};

bool has(const std::vector<std::string>& capabilities, std::string_view name) {
  return std::ranges::find(capabilities, name) != capabilities.end();
}

// Where `show` lists them: after what the model is for.
void set(std::vector<std::string>& capabilities, std::string_view name, bool can) {
  if (has(capabilities, name) == can) return;
  if (!can) {
    std::erase(capabilities, name);
    return;
  }
  constexpr auto kOrder = std::to_array<std::string_view>({"completion", "embedding", "rerank", "chat", "tools", "thinking"});
  const auto rank = [&](std::string_view one) { return std::ranges::find(kOrder, one) - kOrder.begin(); };
  capabilities.emplace(std::ranges::find_if(capabilities, [&](const auto& other) { return rank(other) > rank(name); }), name);
}

ProbeOutcome worse(const wire::ProbeFinding& a, const wire::ProbeFinding& b) {
  if (a.outcome == ProbeOutcome::untried || b.outcome == ProbeOutcome::untried) return ProbeOutcome::untried;
  return a.outcome == ProbeOutcome::passed ? b.outcome : a.outcome;
}

}  // namespace

std::string print_of(const std::vector<PrintedFile>& files) {
  std::string text = fmt::format("{} {}", kSuite, llama_cpp_version());
  for (const auto& file : files)
    if (file.role == wire::FileRole::weights || file.role == wire::FileRole::chat_template)
      text += fmt::format("\n{} {} {} {}", json::enum_name(file.role), file.content, file.size, file.modified_ns);
  // Without OpenSSL's hash the text serves as well, and is only longer.
  return os::sha256_of(text).value_or(text);
}

std::vector<std::string> put_right(std::vector<std::string> capabilities, const wire::ModelProbe& probe) {
  const bool for_text = has(capabilities, "completion");
  if (for_text && probe.writes.outcome == ProbeOutcome::absent && probe.embeds.outcome == ProbeOutcome::passed) return {"embedding"};
  if (!for_text) return capabilities;
  const auto decide = [&](std::string_view name, ProbeOutcome outcome) {
    if (outcome != ProbeOutcome::untried) set(capabilities, name, outcome == ProbeOutcome::passed);
  };
  decide("chat", probe.chat.outcome);
  decide("tools", worse(probe.tools, probe.tool_calls));
  decide("thinking", probe.thinking.outcome);
  return capabilities;
}

Result<> Probes::load(const std::vector<std::string>& prints) {
  PUNA_TRY(auto rows, table_.load_probes());
  const std::set<std::string_view> wanted(prints.begin(), prints.end());
  const auto oldest = std::chrono::system_clock::now() - kKept;
  std::vector<std::string> forgotten;
  for (auto& row : rows) {
    auto probe = json::decode<wire::ModelProbe>(row.findings, json::Unknown::ignore);
    const bool kept = probe && (wanted.contains(row.print) || row.probed_at > oldest);
    if (kept)
      probes_[row.print] = std::move(*probe);
    else
      forgotten.push_back(row.print);
  }
  return table_.remove_probes(forgotten);
}

Result<> Probes::put(std::string_view print, wire::ModelProbe probe) {
  PUNA_CHECK(
      table_.put_probe({.print = std::string(print), .findings = json::encode(probe), .probed_at = std::chrono::system_clock::now()}));
  probes_.insert_or_assign(std::string(print), std::move(probe));
  return {};
}

void Probes::tell(wire::Model& model, std::string_view print) const {
  const auto found = probes_.find(print);
  if (found == probes_.end()) return;
  model.probe = found->second;
  model.details.capabilities = put_right(std::move(model.details.capabilities), found->second);
}

}  // namespace puna::model
