#include "models/random_adapter.h"

#include <cmath>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "gguf/reader.h"
#include "gguf/writer.h"

namespace puna::tiny_model {
namespace {

constexpr std::uint64_t kRank = 4;
constexpr std::string_view kTarget = ".ffn_down.weight";

std::vector<float> random_values(std::mt19937_64& bits, std::uint64_t count, double largest) {
  std::vector<float> out(count);
  for (auto& value : out) value = static_cast<float>(largest * (2.0 * static_cast<double>(bits() >> 11U) / 9007199254740992.0 - 1.0));
  return out;
}

}  // namespace

Result<> write_random_adapter(const std::filesystem::path& path, const std::filesystem::path& base, std::uint64_t seed, double strength) {
  PUNA_TRY(const auto header, gguf::Header::read_file(base));
  gguf::Writer writer;
  writer.set("general.type", std::string("adapter"));
  writer.set("general.architecture", std::string(header.text("general.architecture").value_or("")));
  writer.set("adapter.type", std::string("lora"));
  writer.set("adapter.lora.alpha", static_cast<float>(kRank));
  std::mt19937_64 bits(seed);
  std::vector<std::vector<float>> values;
  values.reserve(2 * header.tensors().size());
  for (const auto& tensor : header.tensors()) {
    if (!std::string_view(tensor.name).ends_with(kTarget)) continue;
    const std::uint64_t in = tensor.shape[0];
    const std::uint64_t out = tensor.shape[1];
    const double largest = strength / std::sqrt(static_cast<double>(in));
    values.push_back(random_values(bits, in * kRank, largest));
    PUNA_CHECK(writer.add_tensor(tensor.name + ".lora_a", gguf::TensorType::f32, {in, kRank}, std::as_bytes(std::span(values.back()))));
    values.push_back(random_values(bits, kRank * out, strength));
    PUNA_CHECK(writer.add_tensor(tensor.name + ".lora_b", gguf::TensorType::f32, {kRank, out}, std::as_bytes(std::span(values.back()))));
  }
  return writer.write(path);
}

}  // namespace puna::tiny_model
