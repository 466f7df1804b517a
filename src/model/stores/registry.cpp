#include "model/stores/registry.h"

#include <algorithm>
#include <array>

namespace puna::model {

std::span<const StoreSpec> stores() {
  static const std::array kStores = {kHuggingFaceStore, kOllamaStore, kLmStudioStore, kLlamaCppStore, kFoldersStore};
  return kStores;
}

const StoreSpec* find_store(std::string_view key) {
  const auto found = std::ranges::find(stores(), key, &StoreSpec::key);
  return found == stores().end() ? nullptr : &*found;
}

}  // namespace puna::model
