#include "cli/doctor/machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "base/settings_registry.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/doctor/tiers.h"
#include "cli/text.h"

namespace puna::cli {
namespace {

using Findings = std::vector<Finding>;
using enum Severity;

std::string size(std::uint64_t bytes) {
  return format_bytes(Bytes(bytes));
}

bool has_any(const os::HardwareInfo& hardware, std::initializer_list<std::string_view> features) {
  return std::ranges::any_of(
      features, [&](std::string_view feature) { return std::ranges::find(hardware.cpu_features, feature) != hardware.cpu_features.end(); });
}

std::string shown_features(const os::HardwareInfo& hardware) {
  std::vector<std::string> out;
  for (const auto* feature : {"avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "asimddp", "i8mm", "sve"})
    if (has_any(hardware, {feature})) out.emplace_back(feature);
  return out.empty() ? "none that speed models up" : join(out, ", ");
}

bool computes_on_gpu(const Machine& machine) {
  return machine.compute && *machine.compute && !(*machine.compute)->devices.empty();
}

// Memory that models may use: a GPU's where there is one, else their share of the machine's.
Bytes memory_for_models(const Machine& machine, double share) {
  if (!computes_on_gpu(machine))
    return Bytes(static_cast<std::uint64_t>(static_cast<double>(machine.hardware.memory_available_bytes) * share));
  std::uint64_t most = 0;
  for (const auto& device : (*machine.compute)->devices) most = std::max(most, static_cast<std::uint64_t>(device.memory_free));
  return Bytes(most);
}

}  // namespace

Findings judge_processor(const Machine& machine) {
  const auto& info = machine.hardware;
  Findings out;
  out.push_back({good, "",
                 fmt::format("{}, {} cores, {} usable, {}", info.cpu_model.empty() ? "unknown processor" : info.cpu_model,
                             info.physical_cores, info.usable_cores, info.os_name),
                 ""});
  out.push_back({good, "", fmt::format("instructions for models: {}", shown_features(info)), ""});
  if (!has_any(info, {"avx2", "asimddp"}))
    out.push_back({note, "", "the processor has no AVX2 (or, on ARM, no dot product): models run, but slowly", "prefer small models"});
  if (machine.compute && !*machine.compute)
    out.push_back({problem, "", machine.compute->error().text(), "install Puna again, keeping its folders together"});
  else if (machine.compute)
    out.push_back({good, "", fmt::format("models compute with the {} kernels", (*machine.compute)->kernels), ""});
  constexpr std::uint64_t kTight = 2ULL << 30;
  const bool tight = info.memory_available_bytes < kTight;
  out.push_back({tight ? warning : good, "",
                 fmt::format("{} of {} memory is free", size(info.memory_available_bytes), size(info.memory_total_bytes)),
                 tight ? "end other programs, or prefer small models" : ""});
  if (info.memory_limit_bytes)
    out.push_back({note, "", fmt::format("this container may use {} of memory", size(*info.memory_limit_bytes)), ""});
  if (machine.speed && machine.speed->bytes_per_second > 0)
    out.push_back({good, "",
                   fmt::format("memory is read at {} a second, by {} threads",
                               size(static_cast<std::uint64_t>(machine.speed->bytes_per_second)), machine.speed->threads),
                   ""});
  return out;
}

Findings judge_gpus(const Machine& machine) {
  Findings out;
  const bool computes = computes_on_gpu(machine);
  if (computes)
    for (const auto& device : (*machine.compute)->devices)
      out.push_back({good, "",
                     fmt::format("{}: {}, {} of {} memory free; models run there", device.name, device.description,
                                 size_text(device.memory_free), size_text(device.memory_total)),
                     ""});
  if (!machine.nvidia) {
    out.push_back({warning, "", machine.nvidia.error().text(), "restart the machine after a driver update, or install the driver again"});
  } else if (const auto& driver = *machine.nvidia; driver && !computes) {
    for (const auto& gpu : driver->gpus)
      out.push_back({warning, "",
                     fmt::format("{} with {} (driver {}) is there, but this build of Puna cannot compute on it", gpu.name,
                                 size(gpu.memory_total_bytes), driver->version),
                     "build Puna with CUDA: ./dev build cuda"});
  }
  if (out.empty()) out.push_back({good, "", "no GPU that this build knows: models run on the processor", ""});
  return out;
}

Findings judge_models(const Machine& machine, const Settings& settings) {
  const Bytes memory = memory_for_models(machine, settings.get(setting::kModelMemory));
  const Loading loading{.slots = settings.get(setting::kSlots),
                        .copies_four_bits = !computes_on_gpu(machine) && has_any(machine.hardware, {"avx2", "asimddp"})};
  const Tier* best = largest_that_fits(memory, loading);
  if (!best)
    return {{warning, "", fmt::format("{} for models is too little for even a small one", format_bytes(memory)), "end other programs"}};
  const auto context = context_that_fits(*best, memory, loading);
  Findings out;
  std::string speed;
  if (machine.speed && machine.speed->bytes_per_second > 0 && !computes_on_gpu(machine))
    speed = fmt::format("; it writes at most {:.1f} tokens a second here",
                        machine.speed->bytes_per_second / static_cast<double>(best->weights.count));
  out.push_back(
      {good, "",
       fmt::format("models of up to {} fit: {} with a context of {} tokens{}", format_bytes(best->weights), best->model, context, speed),
       fmt::format("puna run {}", best->model)});
  // Reading speed of people; below it a chat feels slow.
  constexpr double kComfortable = 8;
  if (speed.empty() || machine.speed->bytes_per_second / static_cast<double>(best->weights.count) >= kComfortable) return out;
  for (const auto& tier : tiers() | std::views::reverse) {
    const double tokens = machine.speed->bytes_per_second / static_cast<double>(tier.weights.count);
    if (&tier >= best || tokens < kComfortable) continue;
    out.push_back({note, "",
                   fmt::format("for a fluent chat take a smaller one: {} writes up to {:.0f} tokens a second", tier.model, tokens),
                   fmt::format("puna run {}", tier.model)});
    break;
  }
  return out;
}

Findings judge_settings(const Machine& machine, const Settings& settings) {
  const auto layers = settings.get(setting::kGpuLayers);
  if (computes_on_gpu(machine) && layers == 0)
    return {{warning, "", "models.gpu_layers is 0: the GPU is not used", "puna config set models.gpu_layers -1"}};
  const auto threads = settings.get(setting::kThreads);
  if (threads > machine.hardware.usable_cores)
    return {{warning, "",
             fmt::format("models.threads is {}, more than the {} usable cores: threads that wait for each other slow models down", threads,
                         machine.hardware.usable_cores),
             "puna config set models.threads 0"}};
  const auto physical = std::min(machine.hardware.physical_cores, machine.hardware.usable_cores);
  if (threads > 0 && threads < physical)
    return {{note, "", fmt::format("models.threads is {} of {} cores", threads, physical), "puna config set models.threads 0"}};
  return {{good, "", "no setting would make models faster here", ""}};
}

}  // namespace puna::cli
