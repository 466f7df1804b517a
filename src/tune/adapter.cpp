#include "tune/adapter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "tune/arithmetic/random.h"

namespace puna::tune {
namespace {

// From a layer to the next in what A is drawn by. Fused maps reach into the next layer's keys, for maps that models with them do not have.
constexpr std::uint64_t kSeedStride = 7;

// The rank that the options give each place, zero for none; every name in the options must be of use.
class Placement {
 public:
  Placement(const Model& model, const LoraOptions& options) : options_(options), targets_(model.targets()) {
    for (std::size_t layer = 0; layer < model.shape().layers; ++layer)
      for (const auto& names : targets_) places_.push_back({layer, &names});
  }

  [[nodiscard]] Result<> check() const {
    for (const auto& name : options_.targets) PUNA_CHECK(check_name(name));
    for (const auto& [name, rank] : options_.ranks) {
      PUNA_CHECK(check_name(name));
      PUNA_CHECK(check_rank(rank, fmt::format("the rank of '{}'", name)));
    }
    return check_rank(options_.rank, "the rank");
  }
  [[nodiscard]] std::size_t rank(std::size_t layer, const TargetNames& names) const {
    const auto of_place = [&](const std::string& name) { return matches(name, {layer, &names}); };
    if (!options_.targets.empty() && std::ranges::none_of(options_.targets, of_place)) return 0;
    std::size_t rank = options_.rank;
    for (const bool exact : {false, true})
      for (const auto& [name, other] : options_.ranks)
        if (name.starts_with("blk.") == exact && of_place(name)) rank = other;
    return rank;
  }

 private:
  struct Place {
    std::size_t layer;
    const TargetNames* names;
  };
  static bool matches(std::string_view name, const Place& place) {
    return name == place.names->gguf || name == place.names->peft || name == fmt::format("blk.{}.{}", place.layer, place.names->gguf);
  }
  [[nodiscard]] Result<> check_name(const std::string& name) const {
    if (std::ranges::any_of(places_, [&](const Place& place) { return matches(name, place); })) return {};
    std::vector<std::string> known;
    for (const auto& names : targets_) known.emplace_back(names.gguf);
    return fail(Code::invalid_argument, fmt::format("the model has no target '{}'; it has {}, each also for one layer as in blk.0.attn_q",
                                                    printable(name), join(known, ", ")));
  }
  static Result<> check_rank(std::size_t rank, const std::string& what) {
    if (rank >= 1 && rank <= kMostRank) return {};
    return fail(Code::invalid_argument, fmt::format("{} is {}; it must be from 1 to {}", what, rank, kMostRank));
  }

  const LoraOptions& options_;
  std::span<const TargetNames> targets_;
  std::vector<Place> places_;
};

}  // namespace

Result<Adapter> Adapter::create(const Model& model, const LoraOptions& options) {
  const Placement placement(model, options);
  PUNA_CHECK(placement.check());
  if (!(options.alpha > 0) || !std::isfinite(options.alpha))
    return fail(Code::invalid_argument, fmt::format("alpha is {}; it must be above 0", options.alpha));
  if (!(options.dropout >= 0 && options.dropout < 1))
    return fail(Code::invalid_argument, fmt::format("dropout is {}; it must be from 0 to below 1", options.dropout));
  std::vector<LoraPlace> places;
  for (std::size_t layer = 0; layer < model.shape().layers; ++layer) {
    for (const auto& names : model.targets()) {
      const std::size_t rank = placement.rank(layer, names);
      if (rank == 0) continue;
      const BaseMatrix& weight = model.layer(layer).linear(names.target).weight;
      if (rank > std::min(weight.in, weight.out))
        return fail(Code::invalid_argument,
                    fmt::format("rank {} is more than '{}' has: it is {} x {}", rank, weight.name, weight.in, weight.out));
      const auto divisor = static_cast<float>(rank);
      places.push_back({layer, names.target, rank, options.alpha / (options.rank_stabilized ? std::sqrt(divisor) : divisor)});
    }
  }
  Adapter adapter = at(model, places, options.dropout);
  for (const auto& pair : adapter.pairs_) {
    const std::uint64_t key = derive(options.seed, pair.layer * kSeedStride + static_cast<std::size_t>(pair.target));
    const float bound = 1 / std::sqrt(static_cast<float>(pair.in));
    for (std::size_t i = 0; i < pair.a_size(); ++i) adapter.parameters_.data()[pair.a + i] = (2 * uniform(key, i) - 1) * bound;
  }
  return adapter;
}

Adapter Adapter::at(const Model& model, std::span<const LoraPlace> places, float dropout) {
  Adapter adapter;
  adapter.dropout_ = dropout;
  adapter.by_place_.resize(model.shape().layers);
  std::size_t size = 0;
  for (const auto& place : places) {
    const BaseMatrix& weight = model.layer(place.layer).linear(place.target).weight;
    LoraPair pair{weight.name, place.layer, place.target, weight.in, weight.out, place.rank, place.scale, 0, 0};
    pair.a = size;
    pair.b = size + pair.a_size();
    size = pair.b + pair.b_size();
    adapter.by_place_[place.layer][static_cast<std::size_t>(place.target)] = adapter.pairs_.size();
    adapter.pairs_.push_back(std::move(pair));
  }
  adapter.first_layer_ = places.empty() ? 0 : places.front().layer;
  adapter.parameters_ = Floats(size);
  adapter.gradients_ = Floats(size);
  adapter.parameters_.clear();
  adapter.gradients_.clear();
  return adapter;
}

const LoraPair* Adapter::find(std::size_t layer, Target target) const {
  const auto& at = by_place_[layer][static_cast<std::size_t>(target)];
  return at ? &pairs_[*at] : nullptr;
}

}  // namespace puna::tune
