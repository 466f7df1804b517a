#include "safetensors/file.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/text.h"
#include "os/file.h"
#include "os/read_at.h"

namespace puna::safetensors {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are read as they lie in the file");

// IEEE 754 binary16: a sign, 5 bits of exponent, 10 of fraction.
float from_f16(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  const float sign = (bits & 0x8000) != 0 ? -1.0F : 1.0F;
  if (exponent == 31) return fraction != 0 ? std::numeric_limits<float>::quiet_NaN() : sign * std::numeric_limits<float>::infinity();
  const int whole = exponent == 0 ? fraction : fraction + 1024;
  return sign * std::ldexp(static_cast<float>(whole), std::max(exponent, 1) - 25);
}

float from_bf16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

template <class From, class Convert>
std::vector<float> converted(std::span<const std::byte> bytes, const Convert& convert) {
  std::vector<float> out(bytes.size() / sizeof(From));
  for (std::size_t i = 0; i < out.size(); ++i) {
    From value;
    std::memcpy(&value, bytes.data() + i * sizeof(From), sizeof(From));
    out[i] = convert(value);
  }
  return out;
}

}  // namespace

Result<File> File::open(const std::filesystem::path& path) {
  PUNA_TRY(auto header, Header::read_file(path));
  PUNA_TRY(auto file, os::open_regular_file(path));
  return File(std::move(header), std::move(file));
}

Result<std::vector<float>> File::floats(const Tensor& tensor) const {
  std::vector<std::byte> bytes(tensor.end - tensor.begin);
  PUNA_TRY(const auto got, os::read_at(file_.get(), header_.data_offset() + tensor.begin, bytes));
  if (got != bytes.size()) return fail(Code::corrupt_data, fmt::format("the file ends inside tensor '{}'", printable(tensor.name)));
  if (tensor.type == "F32") return converted<float>(bytes, [](float value) { return value; });
  if (tensor.type == "F64") return converted<double>(bytes, [](double value) { return static_cast<float>(value); });
  if (tensor.type == "F16") return converted<std::uint16_t>(bytes, from_f16);
  if (tensor.type == "BF16") return converted<std::uint16_t>(bytes, from_bf16);
  return fail(Code::unsupported,
              fmt::format("tensor '{}' is of type {}; F32, F16, BF16 and F64 can be read", printable(tensor.name), printable(tensor.type)));
}

}  // namespace puna::safetensors
