// Adapters that requests name: "base+adapter", or the member `adapters`.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "fleet/launch.h"
#include "model/library.h"
#include "wire/adapter.h"

namespace puna::app {

// No name of a model or a profile has a plus in it.
struct NamedModel {
  std::string base;
  std::vector<wire::AdapterUse> adapters;  // each with its full weight
};
[[nodiscard]] NamedModel split_model_name(std::string_view name);

// LoRA of the library as the worker of that launch would load them; one that is named twice has the last scale. Code::invalid_argument says
// why one does not fit the model, Code::unsupported when the engine is not ours. Blocks, unless there are none.
[[nodiscard]] Result<std::vector<fleet::Adapter>> find_adapters(model::Library& library, const fleet::Launch& launch,
                                                                std::span<const wire::AdapterUse> uses);
// For the engine: which of the loaded ones take part with which weight, as the member "lora" of a request.
[[nodiscard]] std::string lora_member(std::span<const fleet::Adapter> loaded, std::span<const fleet::Adapter> named);

// What was named lately stays loaded beside its base, so that requests with it and without it share a worker.
class LoadedAdapters {
 public:
  void note(const std::string& worker, std::span<const fleet::Adapter> adapters);
  // The launch with them, taking part in no answer unless a request names them.
  [[nodiscard]] fleet::Launch with(fleet::Launch launch) const;
  void clear() { named_.clear(); }

 private:
  std::map<std::string, std::vector<std::filesystem::path>> named_;  // by the worker's name, the latest last
};

}  // namespace puna::app
