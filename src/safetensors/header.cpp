#include "safetensors/header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "os/file.h"
#include "os/read_at.h"

namespace puna::safetensors {
namespace {

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kLongestHeader = 100'000'000;  // the format's own limit

std::uint64_t length_in(std::span<const std::byte> bytes) {
  std::uint64_t out = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;) out = out << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  return out;
}

Result<std::uint64_t> header_length(std::span<const std::byte> beginning, Bytes file_size) {
  if (beginning.size() < kLengthBytes) return fail(Code::corrupt_data, "the file has no safetensors header: it is too short");
  const auto length = length_in(beginning);
  if (length < 2 || length > kLongestHeader) return fail(Code::corrupt_data, "the file has no safetensors header");
  if (length > file_size.count - kLengthBytes)
    return fail(Code::corrupt_data, fmt::format("the file was cut off: its safetensors header alone takes {} bytes", length));
  return length;
}

Result<Tensor> read_tensor(std::string_view name, const json::value& entry) {
  const auto wrong = [&](std::string_view what) { return fail(Code::corrupt_data, fmt::format("tensor '{}' {}", printable(name), what)); };
  const auto* fields = entry.if_object();
  const auto* type = fields == nullptr ? nullptr : fields->if_contains("dtype");
  const auto* shape = fields == nullptr ? nullptr : fields->if_contains("shape");
  const auto* place = fields == nullptr ? nullptr : fields->if_contains("data_offsets");
  if (type == nullptr || !type->is_string()) return wrong("has no type");
  if (shape == nullptr || place == nullptr) return wrong("has no shape or no place");
  const auto dimensions = json::decode<std::vector<std::uint64_t>>(*shape);
  const auto offsets = json::decode<std::vector<std::uint64_t>>(*place);
  if (!dimensions || !offsets || offsets->size() != 2 || offsets->front() > offsets->back()) return wrong("has an impossible place");
  Tensor out{std::string(name), std::string(std::string_view(type->get_string())), *dimensions, offsets->front(), offsets->back()};
  std::uint64_t bits = std::max(1U, bits_of(out.type));  // of a type that is not known only that its numbers can be counted
  for (const auto dimension : out.shape)
    if (__builtin_mul_overflow(bits, dimension, &bits)) return wrong("has an impossible shape");
  if (bits_of(out.type) != 0 && (bits % 8 != 0 || bits / 8 != out.end - out.begin))
    return wrong(fmt::format("has {} bytes where its shape needs {}", out.end - out.begin, bits / 8));
  return out;
}

Result<std::map<std::string, std::string>> read_metadata(const json::value& entry) {
  auto out = json::decode<std::map<std::string, std::string>>(entry);
  if (!out) return fail(Code::corrupt_data, "its __metadata__ is not a list of texts");
  return out;
}

}  // namespace

std::uint64_t Tensor::elements() const {
  std::uint64_t out = 1;
  for (const auto dimension : shape) out *= dimension;
  return out;
}

std::uint32_t bits_of(std::string_view type) {
  constexpr std::array<std::pair<std::string_view, std::uint32_t>, 21> kBits{
      {{"F64", 64},    {"F32", 32},    {"F16", 16}, {"BF16", 16}, {"F8_E4M3", 8}, {"F8_E5M2", 8}, {"F8_E8M0", 8},
       {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F4", 4},   {"I64", 64},  {"I32", 32},    {"I16", 16},    {"I8", 8},
       {"U64", 64},    {"U32", 32},    {"U16", 16}, {"U8", 8},    {"BOOL", 8},    {"C64", 64},    {"F8_E4M3FNUZ", 8}}};
  const auto* found = std::ranges::find(kBits, type, &std::pair<std::string_view, std::uint32_t>::first);
  return found == kBits.end() ? 0 : found->second;
}

bool begins_like_safetensors(std::span<const std::byte> beginning) {
  return beginning.size() > kLengthBytes && beginning[kLengthBytes] == std::byte{'{'} && length_in(beginning) <= kLongestHeader;
}

Result<Header> Header::parse(std::span<const std::byte> beginning, Bytes file_size) {
  PUNA_TRY(const auto length, header_length(beginning, file_size));
  if (length > beginning.size() - kLengthBytes) return fail(Code::corrupt_data, "the file was cut off inside its safetensors header");
  const std::string_view text(reinterpret_cast<const char*>(beginning.data()) + kLengthBytes, length);
  const auto object = json::parse_object(trim(text));
  if (!object) return fail(Code::corrupt_data, "its safetensors header is malformed: " + object.error().message);
  Header out;
  out.data_offset_ = kLengthBytes + length;
  for (const auto& entry : *object) {
    if (entry.key() == "__metadata__") {
      PUNA_TRY(out.metadata_, read_metadata(entry.value()));
      continue;
    }
    PUNA_TRY(auto tensor, read_tensor(entry.key(), entry.value()));
    out.tensors_.push_back(std::move(tensor));
  }
  std::ranges::sort(out.tensors_, {}, [](const Tensor& tensor) { return std::pair(tensor.begin, tensor.end); });
  std::uint64_t at = 0;
  for (const auto& tensor : out.tensors_) {
    if (tensor.begin != at)
      return fail(Code::corrupt_data, fmt::format("tensor '{}' does not begin where the one before it ends", printable(tensor.name)));
    at = tensor.end;
  }
  if (const auto data = file_size.count - out.data_offset_; at != data)
    return fail(Code::corrupt_data, fmt::format("the file has {} bytes of tensors where its header names {}: {}", data, at,
                                                data < at ? "it was cut off" : "something was added"));
  return out;
}

Result<Header> Header::read_file(const std::filesystem::path& path) {
  PUNA_TRY(const auto file, os::open_regular_file(path));
  std::error_code error;
  const Bytes size(std::filesystem::file_size(path, error));
  if (error) return fail(errno_error(error.value(), "cannot look at the file"));
  std::vector<std::byte> beginning(kLengthBytes);
  PUNA_TRY(auto got, os::read_at(file.get(), 0, beginning));
  beginning.resize(got);
  PUNA_TRY(const auto length, header_length(beginning, size));
  beginning.resize(kLengthBytes + length);
  PUNA_TRY(got, os::read_at(file.get(), 0, beginning));
  beginning.resize(got);
  return parse(beginning, size);
}

}  // namespace puna::safetensors
