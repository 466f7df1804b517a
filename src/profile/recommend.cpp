#include "profile/recommend.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "fleet/schedule/memory.h"
#include "profile/served.h"

namespace puna::profile {
namespace {

constexpr Bytes kLeftFree = mib(512);     // for everything else on the machine
constexpr std::int64_t kShortest = 1024;  // tokens: less is no conversation
constexpr std::int64_t kComfortable = 8192;
// Without a GPU a longer prompt takes minutes before its first token.
constexpr std::int64_t kLongestOnCpu = 32'768;
constexpr auto kSteps = std::to_array<std::int64_t>({131'072, 65'536, 32'768, 16'384, 8192, 4096, 2048, kShortest});
constexpr auto kSlots = std::to_array<std::int64_t>({4, 2, 1});

struct Choice {
  std::int64_t context = 0;
  std::int64_t slots = 1;
  wire::CacheType cache = wire::CacheType::f16;
};

// What is asked about again and again while a choice is made.
class Sizes {
 public:
  Sizes(const Candidate& candidate, const std::vector<gguf::Header>& headers, std::vector<gguf::TensorType> repacked)
      : candidate_(candidate), headers_(headers), repacked_(std::move(repacked)) {}

  [[nodiscard]] std::int64_t trained() const { return predict(Choice{.context = 0}).context_length; }
  [[nodiscard]] std::optional<std::uint64_t> head_length() const {
    const auto& header = headers_.front();
    const auto figure = [&](std::string_view name) {
      return header.integer(fmt::format("{}.{}", header.text("general.architecture").value_or(""), name));
    };
    if (const auto stated = figure("attention.key_length")) return stated;
    const auto width = figure("embedding_length"), heads = figure("attention.head_count");
    return width && heads.value_or(0) > 0 ? std::optional(*width / *heads) : std::nullopt;
  }
  // The files, and what the processor's kernels keep of them in another order.
  [[nodiscard]] Bytes weights() const { return candidate_.files + (predict(Choice(), repacked_).weights - predict(Choice()).weights); }
  [[nodiscard]] Bytes cache(const Choice& choice) const { return predict(choice).context; }
  [[nodiscard]] Bytes compute(const Choice& choice) const { return predict(choice).compute; }
  [[nodiscard]] Bytes process() const { return predict(Choice()).process; }
  [[nodiscard]] Bytes need(const Choice& choice) const {
    const auto predicted = predict(choice);
    return weights() + predicted.context + predicted.compute + predicted.process;
  }
  [[nodiscard]] const std::string& name() const { return candidate_.name; }

 private:
  [[nodiscard]] fleet::MemoryNeed predict(const Choice& choice, std::vector<gguf::TensorType> repacked = {}) const {
    const auto type = choice.cache == wire::CacheType::q8_0 ? gguf::TensorType::q8_0 : gguf::TensorType::f16;
    return fleet::predict(
        headers_,
        {.context_length = choice.context, .slots = choice.slots, .cache_k = type, .cache_v = type, .repacked = std::move(repacked)});
  }

  const Candidate& candidate_;
  const std::vector<gguf::Header>& headers_;
  const std::vector<gguf::TensorType> repacked_;
};

// The longest context that fits, with as many slots as leave a comfortable one; a smaller cache only where that one would not fit.
std::optional<Choice> choose(const Sizes& sizes, Bytes room, std::int64_t longest) {
  const auto fits = [&](const Choice& choice) { return sizes.need(choice) <= room; };
  const auto comfortable = std::min(kComfortable, longest);
  const auto head_length = sizes.head_length().value_or(0);
  const bool may_shrink = head_length > 0 && head_length % 32 == 0;  // the block of q8_0
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

std::string context_reason(const Sizes& sizes, const Choice& choice, std::int64_t longest) {
  const auto cache = format_bytes(sizes.cache(choice));
  const auto what = fmt::format("{} tokens for each of {} slot{} take {} beside {} of weights", choice.context, choice.slots,
                                choice.slots == 1 ? "" : "s", cache, format_bytes(sizes.weights()));
  if (choice.context == sizes.trained()) return what + "; the model was trained for no more";
  if (choice.context == longest) return what + "; longer prompts take minutes without a GPU";
  return what + "; the next step does not fit";
}

Error too_large(const Sizes& sizes, Bytes room) {
  const Choice least{.context = std::min(kShortest, sizes.trained())};
  return {
      Code::out_of_memory,
      fmt::format("model {} does not fit: {} of weights + {} for {} tokens + {} to compute + {} for the process are {}, and {} can be "
                  "had; take a smaller quantization or a smaller model",
                  sizes.name(), format_bytes(sizes.weights()), format_bytes(sizes.cache(least)), least.context,
                  format_bytes(sizes.compute(least)), format_bytes(sizes.process()), format_bytes(sizes.need(least)), format_bytes(room))};
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

Result<wire::ProfileRecommendation> recommend(const Candidate& candidate, const std::vector<gguf::Header>& headers,
                                              const Machine& machine) {
  const bool gpu = !machine.devices.empty();
  const Sizes sizes(candidate, headers, gpu ? std::vector<gguf::TensorType>() : fleet::repacked_types(machine.hardware.cpu_features));
  // A model that is larger than the GPUs runs partly on the processor: then the main memory decides.
  const Machine processor{.hardware = machine.hardware, .devices = {}};
  Bytes room = room_in(machine);
  const auto longest = gpu ? sizes.trained() : std::min(sizes.trained(), kLongestOnCpu);
  auto choice = choose(sizes, room, longest);
  const bool partly = gpu && !choice;
  if (partly) {
    room = room_in(processor);
    choice = choose(sizes, room, std::min(longest, kLongestOnCpu));
  }
  if (!choice) return fail(too_large(sizes, room));

  Recommendation out;
  auto& settings = out.settings();
  out.value().model = candidate.name;
  settings.model = candidate.name;
  out.value().memory_bytes = static_cast<std::int64_t>(sizes.need(*choice).count);
  out.value().available_bytes = static_cast<std::int64_t>((room + kLeftFree).count);
  out.set("context", settings.context, choice->context, context_reason(sizes, *choice, longest));
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
  std::vector<gguf::Header> headers;
  PUNA_TRY(auto first, gguf::Header::read_file(served.launch.file));
  headers.push_back(std::move(first));
  for (const auto& part : served.launch.parts) {
    PUNA_TRY(auto header, gguf::Header::read_file(part));
    headers.push_back(std::move(header));
  }
  return recommend(candidate, headers, machine);
}

}  // namespace puna::profile
