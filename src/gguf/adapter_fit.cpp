#include "gguf/adapter_fit.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/text.h"

namespace puna::gguf {
namespace {

constexpr std::string_view kA = ".lora_a";
constexpr std::string_view kB = ".lora_b";

struct Pair {
  const TensorInfo* a = nullptr;
  const TensorInfo* b = nullptr;
};

std::map<std::string_view, Pair> pairs_of(const Header& adapter) {
  std::map<std::string_view, Pair> out;
  for (const auto& tensor : adapter.tensors()) {
    const std::string_view name = tensor.name;
    if (name.ends_with(kA)) out[name.substr(0, name.size() - kA.size())].a = &tensor;
    if (name.ends_with(kB)) out[name.substr(0, name.size() - kB.size())].b = &tensor;
  }
  return out;
}

// The product of the two has the shape of the base's tensor; that of the embeddings is kept the other way round.
bool fits(const Pair& pair, const TensorInfo& base) {
  const auto& a = pair.a->shape;
  const auto& b = pair.b->shape;
  if (a.size() != 2 || b.size() != 2 || base.shape.size() < 2) return false;
  if (std::string_view(base.name).starts_with("token_embd")) return base.shape[0] == b[1] && base.shape[1] == a[1] && a[0] == b[0];
  return base.shape[0] == a[0] && base.shape[1] == b[1] && a[1] == b[0];
}

}  // namespace

Result<> check_adapter_fit(const Header& adapter, const Header& base, std::string_view adapter_name, std::string_view base_name) {
  const auto wrong = [&](std::string_view what) {
    return fail(Code::invalid_argument, fmt::format("{} does not fit {}: {}", adapter_name, base_name, what));
  };
  if (adapter.text("general.type").value_or("") != "adapter") return wrong("it is no adapter");
  if (const auto type = adapter.text("adapter.type").value_or(""); type != "lora")
    return fail(Code::unsupported, fmt::format("{} is an adapter of the kind '{}': only LoRA can be used", adapter_name, printable(type)));
  const auto made_for = adapter.text("general.architecture").value_or("");
  const auto architecture = base.text("general.architecture").value_or("");
  if (made_for != architecture)
    return wrong(fmt::format("it is for the architecture {}, not {}", printable(made_for), printable(architecture)));
  const auto pairs = pairs_of(adapter);
  if (pairs.empty()) return wrong("it has no tensors");
  const bool whole = base.integer("split.count").value_or(1) <= 1;
  for (const auto& [name, pair] : pairs) {
    if (pair.a == nullptr || pair.b == nullptr) return wrong(fmt::format("half of {} is missing", printable(name)));
    const auto tensor = std::ranges::find(base.tensors(), name, &TensorInfo::name);
    if (tensor == base.tensors().end()) {
      if (whole) return wrong(fmt::format("the base has no tensor {}", printable(name)));
      continue;
    }
    if (!fits(pair, *tensor))
      return wrong(fmt::format("it is made for another shape of {} than {}", printable(name), fmt::join(tensor->shape, " x ")));
  }
  return {};
}

}  // namespace puna::gguf
