#include "hub/choice/memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>
#include <variant>
#include <vector>

#include "base/settings_registry.h"

namespace puna::hub {
namespace {

constexpr std::uint64_t kBytesPerValue = 2;       // keys and values are kept in 16 bits
constexpr std::uint64_t kUnstatedContext = 4096;  // what a worker takes for a model that does not say
constexpr std::uint64_t kMostLayers = 10'000;

// An integer that may stand once for all layers or as an array with one for each: the sum over the layers.
std::optional<std::uint64_t> sum_over_layers(const gguf::Header& header, const std::string& key, std::uint64_t layers) {
  if (const auto one = header.integer(key)) return *one * layers;
  const auto* value = header.find(key);
  if (!value) return std::nullopt;
  return std::visit(
      [](const auto& held) -> std::optional<std::uint64_t> {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::vector<std::uint32_t>> || std::is_same_v<T, std::vector<std::int32_t>> ||
                      std::is_same_v<T, std::vector<std::uint64_t>> || std::is_same_v<T, std::vector<std::int64_t>>) {
          std::uint64_t sum = 0;
          for (const auto item : held) sum += static_cast<std::uint64_t>(std::max<std::int64_t>(static_cast<std::int64_t>(item), 0));
          return sum;
        } else {
          return std::nullopt;
        }
      },
      *value);
}

std::optional<std::uint64_t> cache_per_token(const gguf::Header& header, const std::string& architecture) {
  const auto number = [&](std::string_view name) { return header.integer(fmt::format("{}.{}", architecture, name)); };
  const auto layers = number("block_count");
  const auto embedding = number("embedding_length");
  const auto heads = number("attention.head_count");
  if (!layers || *layers > kMostLayers) return std::nullopt;
  // Multi-head latent attention keeps one compressed vector for all heads.
  if (const auto rank = number("attention.kv_lora_rank"))
    return *layers * (*rank + number("rope.dimension_count").value_or(0)) * kBytesPerValue;
  auto kv_heads = sum_over_layers(header, fmt::format("{}.attention.head_count_kv", architecture), *layers);
  if (!kv_heads) kv_heads = sum_over_layers(header, fmt::format("{}.attention.head_count", architecture), *layers);
  if (!kv_heads) return std::nullopt;
  const auto usual = embedding && heads && *heads > 0 ? std::optional(*embedding / *heads) : std::nullopt;
  const auto key = number("attention.key_length").or_else([&] { return usual; });
  const auto value = number("attention.value_length").or_else([&] { return usual; });
  if (!key || !value) return std::nullopt;
  return *kv_heads * (*key + *value) * kBytesPerValue;
}

wire::MemoryFit fit_of(std::uint64_t total, const os::HardwareInfo& hardware) {
  if (hardware.memory_total_bytes == 0) return wire::MemoryFit::unknown;
  if (total <= hardware.memory_available_bytes) return wire::MemoryFit::fits;
  const auto installed = std::min(hardware.memory_total_bytes, hardware.memory_limit_bytes.value_or(hardware.memory_total_bytes));
  return total <= installed - installed / 16 ? wire::MemoryFit::fits_when_free : wire::MemoryFit::too_large;
}

}  // namespace

ModelFacts facts_of(const gguf::Header& header) {
  ModelFacts out;
  out.architecture = header.text("general.architecture").value_or("");
  out.context_length = header.integer(out.architecture + ".context_length");
  for (const auto& tensor : header.tensors()) out.parameters += tensor.elements();
  if (const auto text = header.text("tokenizer.chat_template")) out.chat_template = *text;
  out.cache_per_token = cache_per_token(header, out.architecture);
  return out;
}

wire::MemoryNeed memory_need(Bytes weights, const std::optional<ModelFacts>& facts, const Settings& settings,
                             const os::HardwareInfo& hardware) {
  wire::MemoryNeed out;
  const auto asked = static_cast<std::uint64_t>(settings.get(setting::kContextLength));
  const std::uint64_t trained = facts ? facts->context_length.value_or(kUnstatedContext) : std::max(asked, kUnstatedContext);
  const std::uint64_t context = asked == 0 ? trained : std::min(asked, trained);
  const auto slots = static_cast<std::uint64_t>(settings.get(setting::kSlots));
  std::uint64_t total = weights.count;
  if (facts && facts->cache_per_token) {
    const std::uint64_t cache = *facts->cache_per_token * context * slots;
    out.cache = static_cast<std::int64_t>(cache);
    total += cache;
  }
  out.weights = static_cast<std::int64_t>(weights.count);
  out.total = static_cast<std::int64_t>(total);
  out.context_length = static_cast<std::int64_t>(context);
  out.slots = static_cast<std::int64_t>(slots);
  out.available = static_cast<std::int64_t>(hardware.memory_available_bytes);
  out.installed =
      static_cast<std::int64_t>(std::min(hardware.memory_total_bytes, hardware.memory_limit_bytes.value_or(hardware.memory_total_bytes)));
  out.fit = fit_of(total, hardware);
  return out;
}

}  // namespace puna::hub
