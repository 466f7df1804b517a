#include "adapter/peft.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "adapter/head_order.h"
#include "adapter/peft_config.h"
#include "base/text.h"
#include "os/file.h"
#include "safetensors/file.h"
#include "safetensors/writer.h"

namespace puna::adapter {
namespace {

constexpr Bytes kLargestConfig = mib(4);

std::string tensor_name(const tune::LoraPair& pair, char half) {
  return fmt::format("base_model.model.{}.lora_{}.weight", peft_module(pair), half);
}

// Where a tensor belongs, by its name: "base_model.model.model.layers.3.self_attn.q_proj.lora_A.weight", whatever stands before
// "layers" (models with more than a text part have something there) and with or without an adapter's name ("default") behind lora_A.
struct Place {
  std::size_t layer = 0;
  tune::Target target = tune::Target::attn_q;
  bool is_a = false;
};

std::optional<Place> place_of(std::string_view name) {
  const auto words = split(name, '.');
  const auto layers = std::ranges::find(words, "layers");
  if (words.end() - layers < 6) return std::nullopt;
  Place out;
  const auto number = layers[1];
  if (const auto read = std::from_chars(number.data(), number.data() + number.size(), out.layer);
      read.ec != std::errc() || read.ptr != number.data() + number.size())
    return std::nullopt;
  const auto* target = std::ranges::find(tune::target_names(), layers[3], &tune::TargetNames::peft).operator->();
  if (target == tune::target_names().data() + tune::kTargets) return std::nullopt;
  out.target = target->target;
  const auto half = layers[4];
  if ((half != "lora_A" && half != "lora_B") || words.back() != "weight" || words.end() - layers > 7) return std::nullopt;
  out.is_a = half == "lora_A";
  return out;
}

class PeftReader {
 public:
  PeftReader(const PeftConfig& config, const safetensors::File& file, const tune::Model& model)
      : config_(config), file_(file), model_(model) {}

  Result<tune::Adapter> read() {
    for (const auto& tensor : file_.header().tensors()) PUNA_CHECK(take(tensor));
    if (halves_.empty()) return fail(Code::unsupported, "it has no LoRA tensors");
    std::vector<tune::LoraPlace> places;
    for (const auto& [key, pair] : halves_) {
      PUNA_TRY(auto place, check(key, pair));
      places.push_back(place);
    }
    tune::Adapter adapter = tune::Adapter::at(model_, places, 0);
    for (const auto& pair : adapter.pairs()) PUNA_CHECK(fill(adapter, pair));
    return adapter;
  }

 private:
  using Key = std::pair<std::size_t, tune::Target>;  // layer and map: in the order that an adapter wants
  struct Halves {
    const safetensors::Tensor* a = nullptr;
    const safetensors::Tensor* b = nullptr;
  };

  Result<> take(const safetensors::Tensor& tensor) {
    const auto place = place_of(tensor.name);
    if (!place)
      return fail(Code::unsupported, fmt::format("its tensor '{}' is no LoRA on a map that this build trains", printable(tensor.name)));
    if (place->layer >= model_.shape().layers)
      return fail(Code::invalid_argument,
                  fmt::format("it changes layer {}; the model has {}, counted from 0", place->layer, model_.shape().layers));
    if (model_.layer(place->layer).linear(place->target).weight.data == nullptr)
      return fail(Code::invalid_argument, fmt::format("its tensor '{}' is for a map that the model has not", printable(tensor.name)));
    Halves& halves = halves_[{place->layer, place->target}];
    (place->is_a ? halves.a : halves.b) = &tensor;
    return {};
  }
  Result<tune::LoraPlace> check(const Key& key, const Halves& halves) const {
    const auto& weight = model_.layer(key.first).linear(key.second).weight;
    if (halves.a == nullptr || halves.b == nullptr)
      return fail(Code::corrupt_data, fmt::format("of the pair for '{}' one half is missing", weight.name));
    const std::size_t rank = halves.a->shape.empty() ? 0 : halves.a->shape.front();
    if (halves.a->shape != std::vector<std::uint64_t>{rank, weight.in} || halves.b->shape != std::vector<std::uint64_t>{weight.out, rank})
      return fail(Code::invalid_argument,
                  fmt::format("its pair for '{}' does not fit this model, where the map is {} x {}", weight.name, weight.in, weight.out));
    if (rank == 0 || rank > tune::kMostRank)
      return fail(Code::unsupported,
                  fmt::format("its pair for '{}' is of rank {}; up to {} can be read", weight.name, rank, tune::kMostRank));
    PUNA_TRY(const float scale, config_.scale(peft_module({.layer = key.first, .target = key.second}), rank));
    return tune::LoraPlace{key.first, key.second, rank, scale};
  }
  Result<> fill(tune::Adapter& adapter, const tune::LoraPair& pair) const {
    const Halves& halves = halves_.at({pair.layer, pair.target});
    PUNA_TRY(const auto a, file_.floats(*halves.a));
    PUNA_TRY(const auto b, file_.floats(*halves.b));
    std::ranges::copy(a, adapter.parameters().data() + pair.a);
    std::ranges::copy(reordered(model_.shape(), pair, b, RowOrder::gguf), adapter.parameters().data() + pair.b);
    return {};
  }

  const PeftConfig& config_;
  const safetensors::File& file_;
  const tune::Model& model_;
  std::map<Key, Halves> halves_;
};

Result<tune::Adapter> read_folder(const std::filesystem::path& folder, const tune::Model& model) {
  PUNA_TRY(const auto text, os::read_file(folder / kPeftConfig, kLargestConfig));
  PUNA_TRY(const auto config, PeftConfig::parse(text));
  PUNA_TRY(const auto file, safetensors::File::open(folder / kPeftWeights));
  return PeftReader(config, file, model).read();
}

}  // namespace

Result<> write_peft(const std::filesystem::path& folder, const tune::Model& model, const tune::Adapter& adapter,
                    const std::string& base_model) {
  safetensors::Writer writer;
  writer.note("format", "pt");
  std::deque<std::vector<float>> ordered;  // lives until the file is written
  for (const auto& pair : adapter.pairs()) {
    const auto numbers = adapter.parameters().span();
    PUNA_CHECK(writer.add(tensor_name(pair, 'A'), {pair.rank, pair.in}, numbers.subspan(pair.a, pair.a_size())));
    ordered.push_back(reordered(model.shape(), pair, numbers.subspan(pair.b, pair.b_size()), RowOrder::transformers));
    PUNA_CHECK(writer.add(tensor_name(pair, 'B'), {pair.out, pair.rank}, ordered.back()));
  }
  PUNA_CHECK(writer.write(folder / kPeftWeights));
  return os::write_file_atomic(folder / kPeftConfig, json::pretty(make_peft_config(adapter.pairs(), model.shape().layers, base_model)));
}

Result<tune::Adapter> read_peft(const std::filesystem::path& folder, const tune::Model& model) {
  auto read = read_folder(folder, model);
  if (!read) return fail(std::move(read).error().within(fmt::format("the PEFT adapter in {}", folder.string())));
  return read;
}

}  // namespace puna::adapter
