#include "app/request_adapters.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gguf/adapter_fit.h"

namespace puna::app {
namespace {

constexpr std::size_t kMostNamed = 16;

}  // namespace

NamedModel split_model_name(std::string_view name) {
  NamedModel out;
  std::size_t end = std::min(name.find('+'), name.size());
  out.base = name.substr(0, end);
  while (end < name.size()) {
    const std::size_t begin = end + 1;
    end = std::min(name.find('+', begin), name.size());
    out.adapters.push_back({.name = std::string(name.substr(begin, end - begin)), .scale = {}});
  }
  return out;
}

namespace {

Result<fleet::Adapter> find_adapter(model::Library& library, const fleet::Launch& launch, const wire::AdapterUse& use) {
  if (launch.kind != wire::EngineKind::builtin)
    return fail(Code::unsupported, fmt::format("{} is served by another engine, which has adapters of its own", launch.name));
  const double scale = use.scale.value_or(1);
  if (std::abs(scale) > wire::kLargestScale)
    return fail(Code::invalid_argument, fmt::format("adapters: the scale of {} is beyond {}", use.name, wire::kLargestScale));
  PUNA_TRY(const auto detail, library.show(use.name));
  if (detail.model.problem) return fail(Code::conflict, fmt::format("model {}: {}", detail.model.name, *detail.model.problem));
  PUNA_TRY(const auto adapter, gguf::Header::read_file(detail.path));
  PUNA_TRY(const auto base, gguf::Header::read_file(launch.file));
  PUNA_CHECK(gguf::check_adapter_fit(adapter, base, detail.model.name, launch.name));
  return fleet::Adapter{.file = detail.path, .scale = scale};
}

}  // namespace

Result<std::vector<fleet::Adapter>> find_adapters(model::Library& library, const fleet::Launch& launch,
                                                  std::span<const wire::AdapterUse> uses) {
  std::vector<fleet::Adapter> out;
  for (const auto& use : uses) {
    PUNA_TRY(auto adapter, find_adapter(library, launch, use));
    const auto same = std::ranges::find(out, adapter.file, &fleet::Adapter::file);
    if (same == out.end())
      out.push_back(std::move(adapter));
    else
      same->scale = adapter.scale;
  }
  return out;
}

std::string lora_member(std::span<const fleet::Adapter> loaded, std::span<const fleet::Adapter> named) {
  json::array list;
  for (std::size_t i = 0; i < loaded.size(); ++i) {
    const auto found = std::ranges::find(named, loaded[i].file, &fleet::Adapter::file);
    list.push_back({{"id", i}, {"scale", found == named.end() ? 0.0 : found->scale}});
  }
  return fmt::format("\"lora\":{}", json::to_text(list));
}

void LoadedAdapters::note(const std::string& worker, std::span<const fleet::Adapter> adapters) {
  if (adapters.empty()) return;
  auto& named = named_[worker];
  for (const auto& adapter : adapters)
    if (std::ranges::find(named, adapter.file) == named.end()) named.push_back(adapter.file);
  if (named.size() > kMostNamed) named.erase(named.begin(), named.end() - static_cast<std::ptrdiff_t>(kMostNamed));
}

fleet::Launch LoadedAdapters::with(fleet::Launch launch) const {
  const auto found = named_.find(launch.name);
  if (found == named_.end()) return launch;
  for (const auto& file : found->second)
    if (std::ranges::find(launch.adapters, file, &fleet::Adapter::file) == launch.adapters.end()) launch.adapters.push_back({file, 0});
  return launch;
}

}  // namespace puna::app
