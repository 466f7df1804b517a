#include "adapter/combine.h"

#include <algorithm>
#include <vector>

namespace puna::adapter {
namespace {

// Rows of A below those that are there, columns of s B beside them.
void put(const tune::Adapter& from, const tune::LoraPair& pair, tune::Adapter& to, const tune::LoraPair& place, std::size_t rank) {
  float* numbers = to.parameters().data();
  std::copy_n(from.a(pair), pair.a_size(), numbers + place.a + rank * place.in);
  for (std::size_t row = 0; row < pair.out; ++row)
    for (std::size_t column = 0; column < pair.rank; ++column)
      numbers[place.b + row * place.rank + rank + column] = pair.scale * from.b(pair)[row * pair.rank + column];
}

}  // namespace

tune::Adapter combine(const tune::Model& model, std::span<const tune::Adapter> adapters) {
  std::vector<tune::LoraPlace> places;
  for (std::size_t layer = 0; layer < model.shape().layers; ++layer) {
    for (const auto& names : model.targets()) {
      tune::LoraPlace place{layer, names.target, 0, 1};
      for (const auto& adapter : adapters)
        if (const auto* pair = adapter.find(layer, names.target)) place.rank += pair->rank;
      if (place.rank > 0) places.push_back(place);
    }
  }
  tune::Adapter out = tune::Adapter::at(model, places, 0);
  for (const auto& place : std::vector(out.pairs().begin(), out.pairs().end())) {
    std::size_t rank = 0;
    for (const auto& adapter : adapters) {
      const auto* pair = adapter.find(place.layer, place.target);
      if (pair == nullptr) continue;
      put(adapter, *pair, out, place, rank);
      rank += pair->rank;
    }
  }
  return out;
}

}  // namespace puna::adapter
