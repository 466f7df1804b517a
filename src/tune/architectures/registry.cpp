#include <algorithm>
#include <array>

#include "tune/architectures/members.h"

namespace puna::tune {

std::span<const ArchitectureSpec* const> architectures() {
  static constexpr std::array kAll = {&kLlama, &kQwen2, &kQwen3, &kGemma, &kGemma2, &kGemma3, &kPhi3};
  return kAll;
}

const ArchitectureSpec* find_architecture(std::string_view name) {
  const auto all = architectures();
  const auto found = std::ranges::find(all, name, &ArchitectureSpec::name);
  return found == all.end() ? nullptr : *found;
}

}  // namespace puna::tune
