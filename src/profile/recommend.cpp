#include "profile/recommend.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "profile/served.h"

namespace puna::profile {
namespace {

constexpr std::int64_t kMicroBatch = 512;
constexpr Bytes kProcess = mib(150);      // code, vocabulary, threads
constexpr Bytes kLeftFree = mib(512);     // for everything else on the machine
constexpr std::int64_t kShortest = 1024;  // tokens: less is no conversation
constexpr std::int64_t kComfortable = 8192;
// Without a GPU a longer prompt takes minutes before its first token.
constexpr std::int64_t kLongestOnCpu = 32'768;
constexpr auto kSteps = std::to_array<std::int64_t>({131'072, 65'536, 32'768, 16'384, 8192, 4096, 2048, kShortest});
constexpr auto kSlots = std::to_array<std::int64_t>({4, 2, 1});

struct Shape {
  std::int64_t trained = 4096;  // tokens
  std::int64_t layers = 0;
  std::int64_t cached = 0;  // numbers that one token leaves in one layer's cache
  std::int64_t head_length = 0;
  std::int64_t embedding = 0;
  std::int64_t vocabulary = 0;
};

// Some architectures have a value for each layer: the largest counts.
std::int64_t number_of(const gguf::Header& header, const std::string& key, std::int64_t absent) {
  if (const auto number = header.integer(key)) return static_cast<std::int64_t>(*number);
  const auto* value = header.find(key);
  if (const auto* array = value == nullptr ? nullptr : std::get_if<std::vector<std::int32_t>>(value); array != nullptr && !array->empty())
    return std::max<std::int64_t>(1, std::ranges::max(*array));
  if (const auto* array = value == nullptr ? nullptr : std::get_if<std::vector<std::uint32_t>>(value); array != nullptr && !array->empty())
    return std::max<std::int64_t>(1, std::ranges::max(*array));
  return absent;
}

Shape shape_of(const gguf::Header& header) {
  const std::string architecture(header.text("general.architecture").value_or(""));
  const auto number = [&](std::string_view key, std::int64_t absent) {
    return number_of(header, fmt::format("{}.{}", architecture, key), absent);
  };
  Shape out;
  out.trained = number("context_length", out.trained);
  out.layers = number("block_count", 0);
  out.embedding = number("embedding_length", 0);
  const auto heads = std::max<std::int64_t>(1, number("attention.head_count", 1));
  out.head_length = number("attention.key_length", out.embedding / heads);
  out.cached = number("attention.head_count_kv", heads) * (out.head_length + number("attention.value_length", out.embedding / heads));
  out.vocabulary = static_cast<std::int64_t>(header.array_size("tokenizer.ggml.tokens"));
  return out;
}

struct Choice {
  std::int64_t context = 0;
  std::int64_t slots = 1;
  wire::CacheType cache = wire::CacheType::f16;
};

Bytes cache_of(const Shape& shape, const Choice& choice) {
  const double each = choice.cache == wire::CacheType::q8_0 ? 34.0 / 32.0 : 2.0;
  const double values = static_cast<double>(shape.layers) * static_cast<double>(shape.cached);
  return Bytes(static_cast<std::uint64_t>(values * each * static_cast<double>(choice.context * choice.slots)));
}

// Of one step over a micro batch: the logits, and some twenty activations, scores for the context among them.
Bytes compute_of(const Shape& shape, const Choice& choice) {
  constexpr std::int64_t kActivations = 20;
  const auto numbers = kMicroBatch * (shape.vocabulary + kActivations * shape.embedding + choice.context);
  return Bytes(static_cast<std::uint64_t>(numbers) * sizeof(float));
}

Bytes need_of(const Candidate& candidate, const Shape& shape, const Choice& choice) {
  return candidate.files + cache_of(shape, choice) + compute_of(shape, choice) + kProcess;
}

// The longest context that fits, with as many slots as leave a comfortable one; a smaller cache only where that one would not fit.
std::optional<Choice> choose(const Candidate& candidate, const Shape& shape, Bytes room, std::int64_t longest) {
  const auto fits = [&](const Choice& choice) { return need_of(candidate, shape, choice) <= room; };
  const auto comfortable = std::min(kComfortable, longest);
  const bool may_shrink = shape.head_length > 0 && shape.head_length % 32 == 0;  // the block of q8_0
  std::optional<Choice> best;
  for (const auto cache : {wire::CacheType::f16, wire::CacheType::q8_0}) {
    if (cache != wire::CacheType::f16 && !may_shrink) continue;
    for (const auto slots : kSlots)
      for (const auto step : kSteps) {
        const Choice choice{.context = std::min(step, longest), .slots = slots, .cache = cache};
        if (!fits(choice)) continue;
        if (choice.context >= comfortable) return choice;
        if (!best || choice.context > best->context) best = choice;
      }
  }
  return best;
}

class Recommendation {
 public:
  template <class T>
  void set(std::string_view name, std::optional<T>& member, T value, std::string reason) {
    member = value;
    out_.reasons.push_back({std::string(name), json::encode(value), std::move(reason)});
  }
  wire::ProfileSettings& settings() { return out_.settings; }
  wire::ProfileRecommendation take() { return std::move(out_); }
  wire::ProfileRecommendation& value() { return out_; }

 private:
  wire::ProfileRecommendation out_;
};

std::string context_reason(const Candidate& candidate, const Shape& shape, const Choice& choice, std::int64_t longest) {
  const auto cache = format_bytes(cache_of(shape, choice));
  const auto what = fmt::format("{} tokens for each of {} slot{} take {} beside {} of weights", choice.context, choice.slots,
                                choice.slots == 1 ? "" : "s", cache, format_bytes(candidate.files));
  if (choice.context == shape.trained) return what + "; the model was trained for no more";
  if (choice.context == longest) return what + "; longer prompts take minutes without a GPU";
  return what + "; the next step does not fit";
}

Error too_large(const Candidate& candidate, const Shape& shape, Bytes room) {
  const Choice least{.context = std::min(kShortest, shape.trained)};
  return {Code::out_of_memory,
          fmt::format("model {} does not fit: {} of weights + {} for {} tokens + {} to compute + {} for the process are {}, and {} can be "
                      "had; take a smaller quantization or a smaller model",
                      candidate.name, format_bytes(candidate.files), format_bytes(cache_of(shape, least)), least.context,
                      format_bytes(compute_of(shape, least)), format_bytes(kProcess), format_bytes(need_of(candidate, shape, least)),
                      format_bytes(room))};
}

// What a worker may take: of the GPUs where there are any, because what is not there is slow; else of the main memory.
Bytes room_in(const Machine& machine) {
  if (machine.devices.empty()) return Bytes(machine.hardware.memory_available_bytes) - kLeftFree;
  Bytes out;
  for (const auto& device : machine.devices)
    out += Bytes(static_cast<std::uint64_t>(std::max<std::int64_t>(0, device.memory_free))) - kLeftFree;
  return out;
}

void set_threads(Recommendation& out, const os::HardwareInfo& hardware) {
  const auto physical = std::max(1U, hardware.physical_cores);
  const auto usable = std::max(1U, hardware.usable_cores);
  const auto threads = static_cast<std::int64_t>(std::min(physical, usable));
  out.set("threads", out.settings().threads, threads,
          usable < physical ? fmt::format("{} of the {} cores may be used here", usable, physical)
                            : fmt::format("one for each of the {} physical cores; more threads wait for one another", physical));
}

}  // namespace

Result<wire::ProfileRecommendation> recommend(const Candidate& candidate, const gguf::Header& header, const Machine& machine) {
  const Shape shape = shape_of(header);
  const bool gpu = !machine.devices.empty();
  // A model that is larger than the GPUs runs partly on the processor: then the main memory decides.
  const Machine processor{.hardware = machine.hardware, .devices = {}};
  Bytes room = room_in(machine);
  const auto longest = gpu ? shape.trained : std::min(shape.trained, kLongestOnCpu);
  auto choice = choose(candidate, shape, room, longest);
  const bool partly = gpu && !choice;
  if (partly) {
    room = room_in(processor);
    choice = choose(candidate, shape, room, std::min(longest, kLongestOnCpu));
  }
  if (!choice) return fail(too_large(candidate, shape, room));

  Recommendation out;
  auto& settings = out.settings();
  out.value().model = candidate.name;
  settings.model = candidate.name;
  out.value().memory_bytes = static_cast<std::int64_t>(need_of(candidate, shape, *choice).count);
  out.value().available_bytes = static_cast<std::int64_t>((room + kLeftFree).count);
  out.set("context", settings.context, choice->context, context_reason(candidate, shape, *choice, longest));
  out.set("slots", settings.slots, choice->slots,
          choice->slots == 1 ? "more conversations at a time would leave each too short a context"
                             : fmt::format("so many conversations run at a time, each with all of its {} tokens", choice->context));
  set_threads(out, machine.hardware);
  if (gpu)
    out.set<std::int64_t>("gpu_layers", settings.gpu_layers, -1,
                          partly
                              ? fmt::format("as many layers as fit on {}; the others run on the processor", machine.devices[0].description)
                              : fmt::format("all layers fit on {}", machine.devices[0].description));
  if (choice->cache == wire::CacheType::q8_0) {
    const std::string reason = "half the memory of f16 at next to no loss; with f16 the context would be shorter";
    out.set("cache_type_k", settings.cache_type_k, choice->cache, reason);
    out.set("cache_type_v", settings.cache_type_v, choice->cache, reason);
    out.set("flash_attention", settings.flash_attention, wire::Switch::on, "a quantized cache of values needs it");
  }
  return out.take();
}

Result<wire::ProfileRecommendation> recommend_for(model::Library& library, std::string_view model, const Machine& machine) {
  PUNA_TRY(const auto detail, library.show(model));
  PUNA_TRY(const auto served, serve_model(detail));
  Candidate candidate{.name = detail.model.name, .files = {}};
  for (const auto& file : served.launch.loaded()) {
    std::error_code failed;
    candidate.files += Bytes(std::filesystem::file_size(file, failed));
    if (failed) return fail(errno_error(failed.value(), fmt::format("cannot find {}", file.string())));
  }
  PUNA_TRY(const auto header, gguf::Header::read_file(served.launch.file));
  return recommend(candidate, header, machine);
}

}  // namespace puna::profile
