#include "worker/quantize/importance.h"

#include <fmt/format.h>

#include <algorithm>

#include "imatrix-loader.h"

namespace puna::worker {
namespace {

// Sums over all tokens (or, for experts, over those that each expert saw) become means; what was never seen counts as neutral.
std::vector<float> means_of(const common_imatrix_entry& entry) {
  std::vector<float> out(entry.sums.size(), 1.0F);
  const std::size_t columns = entry.sums.size() / entry.counts.size();
  for (std::size_t i = 0; i < columns * entry.counts.size(); ++i) {
    const auto count = static_cast<float>(entry.counts[i / columns]);
    if (count > 0) out[i] = entry.sums[i] / count;
  }
  return out;
}

}  // namespace

Result<ImportanceMatrix> read_importance(const std::filesystem::path& file) {
  common_imatrix loaded;
  if (!common_imatrix_load(file.string(), loaded) || (!loaded.is_legacy && !loaded.has_metadata))
    return fail(Code::corrupt_data, fmt::format("{} is no importance matrix as llama.cpp writes it", file.string()));
  ImportanceMatrix out{.weights = {}, .chunks = loaded.chunk_count};
  for (const auto& [name, entry] : loaded.entries) {
    if (entry.sums.empty() || entry.counts.empty() || entry.sums.size() % entry.counts.size() != 0)
      return fail(Code::corrupt_data, fmt::format("{}: the entry for {} has no sense", file.string(), name));
    out.weights.emplace(name, means_of(entry));
  }
  return out;
}

}  // namespace puna::worker
