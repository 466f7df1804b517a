#include "fleet/schedule/admission.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace puna::fleet {
namespace {

Bytes of(const MemoryPools& pools, const std::string& pool) {
  const auto found = pools.find(pool);
  return found == pools.end() ? Bytes() : found->second;
}

std::vector<std::string> parts_of(const MemoryNeed& need) {
  std::vector<std::string> out;
  const auto part = [&](Bytes bytes, std::string_view what) {
    if (bytes.count > 0) out.push_back(fmt::format("{} {}", format_bytes(bytes), what));
  };
  part(need.weights, "weights");
  part(need.context, fmt::format("KV for {} x {} tokens", need.slots, need.context_length));
  part(need.compute, "compute");
  part(need.projector, "projector");
  part(need.adapters, "adapters");
  part(need.process, "process");
  return out;
}

}  // namespace

bool fits(const MemoryPools& need, const MemoryPools& held, const MemoryPools& capacity) {
  for (const auto& [pool, bytes] : need) {
    const auto limit = capacity.find(pool);
    if (limit != capacity.end() && bytes + of(held, pool) > limit->second) return false;
  }
  return true;
}

void add(MemoryPools& to, const MemoryPools& pools) {
  for (const auto& [pool, bytes] : pools) to[pool] += bytes;
}

std::string arithmetic(const MemoryNeed& need, const MemoryBudget& budget, const std::vector<HeldMemory>& held) {
  std::string out = fmt::format("needs {}: {}", format_bytes(need.total()), fmt::join(parts_of(need), " + "));
  for (const auto& [pool, bytes] : need.pools()) {
    const auto limit = budget.capacity.find(pool);
    if (limit == budget.capacity.end()) continue;
    const bool system = pool == kSystemMemory;
    out += fmt::format("; {} {}are available to models", format_bytes(limit->second),
                       system ? fmt::format("of {} ", format_bytes(budget.total)) : fmt::format("on {} ", pool));
    for (const auto& one : held)
      if (const Bytes taken = of(one.pools, pool); taken.count > 0)
        out += fmt::format(", {} held by {} ({})", format_bytes(taken), one.model, one.pinned ? "pinned" : one.busy ? "busy" : "idle");
  }
  return out;
}

Error does_not_fit(const std::string& model, const MemoryNeed& need, const MemoryBudget& budget, const std::vector<HeldMemory>& pinned) {
  return {Code::out_of_memory, fmt::format("model {} {}: use a smaller model or quantization, a shorter context (models.context), fewer "
                                           "slots (models.slots), or end programs that use memory{}",
                                           model, arithmetic(need, budget, pinned), pinned.empty() ? "" : ", or unpin a model")};
}

Result<> require_files(const std::vector<std::filesystem::path>& files) {
  for (const auto& file : files) {
    std::error_code failed;
    const bool there = std::filesystem::exists(file, failed);
    if (!there && !failed) failed = std::make_error_code(std::errc::no_such_file_or_directory);
    if (failed) return fail(errno_error(failed.value(), fmt::format("cannot find {}", file.string())));
  }
  return {};
}

}  // namespace puna::fleet
