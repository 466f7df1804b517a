#include "fleet/schedule/memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <optional>
#include <type_traits>
#include <variant>

#include "os/hardware.h"

namespace puna::fleet {
namespace {

using gguf::TensorType;

constexpr std::uint64_t kUnstatedContext = 4096;
// A worker without a model, as measured: code and libraries that are touched, threads, arenas.
constexpr Bytes kProcess = mib(33);
// Text, score and the maps in both directions, for each token; as measured with vocabularies of 49,152 tokens.
constexpr std::uint64_t kBytesPerToken = 440;
// The projector's buffers for one picture; its header does not tell.
constexpr Bytes kProjectorCompute = mib(64);
constexpr std::uint64_t kCellStep = 256;

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t step) {
  return (value + step - 1) / step * step;
}

// Bytes of `elements` values in rows.
std::uint64_t bytes_of(TensorType type, std::uint64_t elements) {
  const auto& traits = gguf::traits(type);
  return elements * traits.block_bytes / traits.block_elements;
}

template <class T>
std::optional<std::uint64_t> not_negative(T value) {
  if constexpr (std::is_signed_v<T>)
    if (value < T(0)) return 0;
  return static_cast<std::uint64_t>(value);
}
template <class T>
std::optional<std::uint64_t> figure(const T& found, std::size_t /*layer*/) {
  if constexpr (std::integral<T>) return not_negative(found);
  return std::nullopt;
}
template <class T>
std::optional<std::uint64_t> figure(const std::vector<T>& found, std::size_t layer) {
  if constexpr (std::integral<T>)
    if (!found.empty()) return not_negative(found[std::min(layer, found.size() - 1)]);
  return std::nullopt;
}

// A model's figures by their names without the architecture; one for all layers, or one for each.
class Figures {
 public:
  explicit Figures(const gguf::Header& header) : header_(header), architecture_(header.text("general.architecture").value_or("")) {}

  [[nodiscard]] const std::string& architecture() const { return architecture_; }
  [[nodiscard]] std::optional<std::uint64_t> find(std::string_view name, std::size_t layer = 0) const {
    const auto* value = header_.find(fmt::format("{}.{}", architecture_, name));
    if (value == nullptr) return std::nullopt;
    return std::visit([layer](const auto& found) { return figure(found, layer); }, *value);
  }
  [[nodiscard]] std::uint64_t get(std::string_view name, std::uint64_t otherwise = 0, std::size_t layer = 0) const {
    return find(name, layer).value_or(otherwise);
  }

 private:
  const gguf::Header& header_;
  std::string architecture_;
};

// Architectures whose files do not say which layers look through a sliding window: one of `period` layers sees everything.
struct SlidingPattern {
  std::string_view architecture;
  std::uint64_t period;
  bool full_first = false;
};
constexpr std::array kSlidingPatterns = {
    SlidingPattern{"gemma2", 2},          SlidingPattern{"gemma3", 6},  SlidingPattern{"gemma3n", 5},
    SlidingPattern{"gpt-oss", 2},         SlidingPattern{"cohere2", 4}, SlidingPattern{"llama4", 4},
    SlidingPattern{"exaone4", 4},         SlidingPattern{"olmo2", 4},   SlidingPattern{"exaone-moe", 4},
    SlidingPattern{"afmoe", 4},           SlidingPattern{"plamo3", 8},  SlidingPattern{"smallthinker", 4, true},
    SlidingPattern{"cohere2moe", 4, true}};

bool sees_a_window_only(const Figures& figures, const gguf::Header& header, std::size_t layer) {
  constexpr std::string_view kPattern = "attention.sliding_window_pattern";
  if (figures.get("attention.sliding_window") == 0) return false;
  if (header.array_size(fmt::format("{}.{}", figures.architecture(), kPattern)) > 0) return figures.get(kPattern, 0, layer) != 0;
  const auto known = std::ranges::find(kSlidingPatterns, figures.architecture(), &SlidingPattern::architecture);
  if (known == kSlidingPatterns.end()) return false;
  const std::uint64_t period = std::max<std::uint64_t>(1, figures.get(kPattern, known->period));
  return known->full_first ? layer % period != 0 : layer % period < period - 1;
}

// Layers that keep a state of fixed size instead of keys and values.
bool is_recurrent(const Figures& figures, std::size_t layer) {
  if (figures.find("wkv.head_size")) return true;
  if (figures.architecture() == "mamba" || figures.architecture() == "mamba2") return true;
  if (const auto interval = figures.find("full_attention_interval"); interval && *interval > 0) return (layer + 1) % *interval != 0;
  const bool keeps_state = figures.find("ssm.state_size") || figures.find("shortconv.l_cache");
  return keeps_state && figures.get("attention.head_count_kv", 0, layer) == 0;
}

std::uint64_t recurrent_values(const Figures& figures) {
  const std::uint64_t width = figures.get("embedding_length");
  if (const auto head = figures.find("wkv.head_size")) return width * (figures.get("token_shift_count", 2) + *head);
  if (const auto cache = figures.find("shortconv.l_cache")) return width * (std::max<std::uint64_t>(*cache, 1) - 1);
  const std::uint64_t state = figures.get("ssm.state_size");
  const std::uint64_t inner = figures.get("ssm.inner_size");
  const std::uint64_t kernel = figures.get("ssm.conv_kernel");
  return (kernel > 0 ? kernel - 1 : 0) * (inner + 2 * figures.get("ssm.group_count") * state) + state * inner;
}

struct Cells {
  std::uint64_t full = 0;
  std::uint64_t window = 0;
};

std::uint64_t context_bytes(const gguf::Header& header, const Figures& figures, const LoadShape& shape, const Cells& cells) {
  const auto slots = static_cast<std::uint64_t>(shape.slots);
  const std::uint64_t heads = std::max<std::uint64_t>(1, figures.get("attention.head_count", 1));
  const std::uint64_t head_size = figures.get("embedding_length") / heads;
  const bool latent = figures.get("attention.key_length_mla") > 0;  // values are read out of the keys
  std::uint64_t out = 0;
  for (std::size_t layer = 0; layer < figures.get("block_count"); ++layer) {
    if (is_recurrent(figures, layer)) {
      out += slots * recurrent_values(figures) * sizeof(float);
      continue;
    }
    const std::uint64_t groups = figures.get("attention.head_count_kv", figures.get("attention.head_count", 1, layer), layer);
    const bool window = sees_a_window_only(figures, header, layer);
    const std::uint64_t keys = figures.get(
        window && figures.find("attention.key_length_swa") ? "attention.key_length_swa" : "attention.key_length", head_size, layer);
    const std::uint64_t values = figures.get(
        window && figures.find("attention.value_length_swa") ? "attention.value_length_swa" : "attention.value_length", head_size, layer);
    const std::uint64_t rows = slots * (window ? cells.window : cells.full);
    out += rows * bytes_of(shape.cache_k, groups * keys);
    if (!latent) out += rows * bytes_of(shape.cache_v, groups * values);
  }
  return out;
}

// The widest point of a step: within a feed-forward block, which keeps its input, the residual and three products; beside it the mask of
// what each token may see. Without flash attention the scores of all heads exist at once.
std::uint64_t compute_bytes(const Figures& figures, const LoadShape& shape, const Cells& cells, std::uint64_t vocabulary) {
  const auto batch = static_cast<std::uint64_t>(shape.micro_batch);
  const std::uint64_t width = figures.get("embedding_length");
  std::uint64_t inner = 0;
  for (std::size_t layer = 0; layer < figures.get("block_count"); ++layer)
    inner = std::max(inner, figures.get("feed_forward_length", 0, layer));
  inner = std::max(inner, figures.get("expert_feed_forward_length") * figures.get("expert_used_count", 1));
  const std::uint64_t block = batch * sizeof(float) * (3 * inner + 4 * width);
  const std::uint64_t mask = batch * cells.full * (shape.flash_attention ? 2 : sizeof(float));
  const std::uint64_t scores = shape.flash_attention ? 0 : batch * cells.full * figures.get("attention.head_count", 1) * sizeof(float);
  const std::uint64_t outputs = static_cast<std::uint64_t>(shape.slots) * vocabulary * sizeof(float);
  return std::max(block, scores) + mask + outputs;
}

std::uint64_t weight_bytes(const gguf::Header& header, const LoadShape& shape) {
  std::uint64_t mapped = 0, copied = 0;
  for (const auto& tensor : header.tensors()) {
    mapped += tensor.size.count;
    // Only matrices that are multiplied with, and whose rows come in eights.
    const bool matrix = tensor.shape.size() >= 2 && tensor.shape[1] % 8 == 0 && tensor.name != "token_embd.weight";
    if (matrix && std::ranges::find(shape.repacked, tensor.type) != shape.repacked.end()) copied += tensor.size.count;
  }
  return mapped + copied;
}

TensorType tensor_type(std::optional<wire::CacheType> type) {
  switch (type.value_or(wire::CacheType::f16)) {
    case wire::CacheType::f32:
      return TensorType::f32;
    case wire::CacheType::bf16:
      return TensorType::bf16;
    case wire::CacheType::f16:
      return TensorType::f16;
    case wire::CacheType::q8_0:
      return TensorType::q8_0;
    case wire::CacheType::q5_1:
      return TensorType::q5_1;
    case wire::CacheType::q5_0:
      return TensorType::q5_0;
    case wire::CacheType::q4_1:
      return TensorType::q4_1;
    case wire::CacheType::q4_0:
      return TensorType::q4_0;
    case wire::CacheType::iq4_nl:
      return TensorType::iq4_nl;
  }
  return TensorType::f16;
}

Bytes size_of(const std::filesystem::path& file) {
  std::error_code absent;
  const auto size = std::filesystem::file_size(file, absent);
  return absent ? Bytes() : Bytes(size);
}

MemoryNeed predict_files(std::vector<std::filesystem::path> files, const LoadShape& shape) {
  std::vector<gguf::Header> headers;
  Bytes sizes;
  for (const auto& file : files) {
    if (file.empty()) continue;
    sizes += size_of(file);
    if (auto header = gguf::Header::read_file(file)) headers.push_back(std::move(*header));
  }
  if (!headers.empty()) return predict(headers, shape);
  MemoryNeed out{.weights = sizes, .slots = shape.slots, .context_length = shape.context_length};
  if (sizes.count > 0) out.process = kProcess;
  return out;
}

}  // namespace

MemoryPools device_pools(const std::vector<wire::WorkerMemory>& engine) {
  MemoryPools out;
  for (const auto& place : engine)
    if (const auto bytes = place.weights + place.context + place.compute; bytes > 0 && !place.device.starts_with("CPU"))
      out[place.device] += Bytes(static_cast<std::uint64_t>(bytes));
  return out;
}

MemoryPools MemoryNeed::pools() const {
  MemoryPools out = devices;
  Bytes elsewhere;
  for (const auto& [device, bytes] : devices) elsewhere += bytes;
  out[kSystemMemory] = total() - elsewhere;
  return out;
}

std::vector<TensorType> repacked_types(const std::vector<std::string>& cpu_features) {
  const auto has = [&](std::string_view feature) { return std::ranges::find(cpu_features, feature) != cpu_features.end(); };
  std::vector<TensorType> out;
  if (has("avx2")) out = {TensorType::q4_0, TensorType::q4_k, TensorType::iq4_nl, TensorType::mxfp4};
  if (has("avx512f")) out.push_back(TensorType::q2_k);
  if (has("asimddp")) out = {TensorType::q4_0, TensorType::q4_k, TensorType::q5_k, TensorType::q6_k, TensorType::iq4_nl, TensorType::mxfp4};
  return out;
}

MemoryNeed predict(const std::vector<gguf::Header>& parts, const LoadShape& shape) {
  const gguf::Header& header = parts.front();
  const Figures figures(header);
  const std::uint64_t trained = figures.get("context_length", kUnstatedContext);
  const auto asked = static_cast<std::uint64_t>(shape.context_length);
  const std::uint64_t context = asked == 0 ? trained : std::min(asked, trained);
  LoadShape exact = shape;
  if (shape.embed) exact.micro_batch = static_cast<std::int64_t>(context);
  const std::uint64_t window = figures.get("attention.sliding_window") + static_cast<std::uint64_t>(exact.micro_batch);
  const Cells cells{.full = round_up(context, kCellStep), .window = round_up(std::min(context, window), kCellStep)};
  const std::uint64_t vocabulary = header.array_size("tokenizer.ggml.tokens");

  MemoryNeed out{.slots = shape.slots, .context_length = static_cast<std::int64_t>(context)};
  for (const auto& part : parts) out.weights += Bytes(weight_bytes(part, shape));
  // Encoders keep nothing between steps.
  const bool causal = header.boolean(figures.architecture() + ".attention.causal").value_or(true);
  if (causal) out.context = Bytes(context_bytes(header, figures, exact, cells));
  out.compute = Bytes(compute_bytes(figures, exact, cells, vocabulary));
  out.process = kProcess + Bytes(vocabulary * kBytesPerToken);
  return out;
}

MemoryNeed predict_launch(const Launch& launch, Purpose purpose, const FleetOptions& options) {
  MemoryNeed out;
  if (launch.kind == wire::EngineKind::remote) return out;
  LoadShape shape{.context_length = launch.engine.context.value_or(options.context_length),
                  .slots = launch.engine.slots.value_or(options.slots),
                  .micro_batch = launch.engine.micro_batch.value_or(512),
                  .cache_k = tensor_type(launch.engine.cache_type_k),
                  .cache_v = tensor_type(launch.engine.cache_type_v),
                  .flash_attention = launch.engine.flash_attention != wire::Switch::off,
                  .embed = purpose != Purpose::generate,
                  .repacked = repacked_types(os::probe_hardware().cpu_features)};
  std::vector<std::filesystem::path> files = {launch.file};
  files.insert(files.end(), launch.parts.begin(), launch.parts.end());
  out = predict_files(files, shape);
  if (!launch.projector.empty() && purpose == Purpose::generate) out.projector = size_of(launch.projector) + kProjectorCompute;
  for (const auto& adapter : launch.adapters) out.adapters += size_of(adapter.file);
  if (!launch.draft.empty()) {
    files = {launch.draft};
    files.insert(files.end(), launch.draft_parts.begin(), launch.draft_parts.end());
    const MemoryNeed draft = predict_files(files, shape);
    out.weights += draft.weights;
    out.context += draft.context;
    out.compute += draft.compute;
  }
  return out;
}

}  // namespace puna::fleet
