#include "gguf/reader.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <concepts>
#include <cstring>
#include <limits>
#include <type_traits>

#include "base/text.h"
#include "base/units.h"
#include "os/file.h"

namespace puna::gguf {

static_assert(std::endian::native == std::endian::little, "numbers are read as they lie in the file");

namespace {

// Far beyond any real model (the largest vocabularies make headers of about 20 MB), and small enough to hold in memory.
constexpr std::uint64_t kMaxHeader = 64ull << 20;
constexpr std::uint64_t kMaxTensors = 1ull << 20;
constexpr std::uint64_t kMaxKeys = 1ull << 16;
constexpr std::uint64_t kMaxKeyLength = 65535;
// What the smallest entry takes in the file: an 8-byte length, a letter, a type, a value …
constexpr std::uint64_t kSmallestKey = 8 + 1 + 4 + 1;
constexpr std::uint64_t kSmallestTensor = 8 + 4 + 4 + 8;

using Stop = std::variant<Error, NeedsMore>;
template <class T = void>
using Step = std::expected<T, Stop>;

std::unexpected<Stop> fault(std::string message) {
  return std::unexpected<Stop>(Error(Code::corrupt_data, std::move(message)));
}

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

}  // namespace

// Walks once through the bytes; where_ names what is being read, for the fault's message.
class HeaderParser {
 public:
  HeaderParser(std::span<const std::byte> prefix, std::uint64_t file_size)
      : prefix_(prefix.first(std::min(prefix.size(), file_size))), file_size_(file_size) {
    header_.file_size_ = Bytes(file_size);
  }

  Step<Header> parse() {
    PUNA_CHECK(read_preamble());
    for (std::uint64_t i = 0; i < key_count_; ++i) PUNA_CHECK(read_key());
    PUNA_CHECK(read_alignment());
    header_.tensors_.reserve(std::min<std::uint64_t>(tensor_count_, prefix_.size() / kSmallestTensor));
    for (std::uint64_t i = 0; i < tensor_count_; ++i) PUNA_CHECK(read_tensor(i));
    header_.data_offset_ = position_;
    if (tensor_count_ > 0) header_.data_offset_ = (position_ + header_.alignment_ - 1) / header_.alignment_ * header_.alignment_;
    return std::move(header_);
  }

 private:
  std::uint64_t left_in_file() const { return file_size_ - position_; }

  Step<std::span<const std::byte>> take(std::uint64_t count) {
    if (count > left_in_file()) return fault(fmt::format("the file ends inside {}: {} bytes are missing", where_, count - left_in_file()));
    if (position_ + count > kMaxHeader)
      return fault(fmt::format("{} exceeds the {} that a header may take", where_, format_bytes(Bytes(kMaxHeader))));
    if (position_ + count > prefix_.size()) return std::unexpected<Stop>(NeedsMore{position_ + count});
    const auto out = prefix_.subspan(position_, count);
    position_ += count;
    return out;
  }

  template <class T>
  Step<T> number() {
    PUNA_TRY(const auto bytes, take(sizeof(T)));
    T out;
    std::memcpy(&out, bytes.data(), sizeof(T));
    return out;
  }

  Step<std::string> string(std::uint64_t limit, std::string_view what) {
    PUNA_TRY(const auto length, number<std::uint64_t>());
    if (length > limit || length > left_in_file())
      return fault(fmt::format("{}: a {} of {} bytes in a file of {}", where_, what, length, file_size_));
    PUNA_TRY(const auto bytes, take(length));
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }

  Step<> read_preamble() {
    where_ = "the preamble";
    PUNA_TRY(const auto magic, take(4));
    if (std::memcmp(magic.data(), "GGUF", 4) != 0) return fault("it is not a GGUF file: the first four bytes are not \"GGUF\"");
    PUNA_TRY(header_.version_, number<std::uint32_t>());
    if ((header_.version_ & 0xFFFF) == 0) return fault("it is a big-endian GGUF file, which this program cannot read");
    if (header_.version_ < 2 || header_.version_ > 3)
      return fault(fmt::format("it is GGUF version {}; versions 2 and 3 can be read", header_.version_));
    PUNA_TRY(tensor_count_, number<std::uint64_t>());
    PUNA_TRY(key_count_, number<std::uint64_t>());
    if (tensor_count_ > kMaxTensors || tensor_count_ > left_in_file() / kSmallestTensor)
      return fault(fmt::format("it claims {} tensors, more than a file of {} bytes can name", tensor_count_, file_size_));
    if (key_count_ > kMaxKeys || key_count_ > left_in_file() / kSmallestKey)
      return fault(fmt::format("it claims {} metadata keys, more than a file of {} bytes can hold", key_count_, file_size_));
    return {};
  }

  Step<> read_key() {
    where_ = fmt::format("metadata key {}", header_.metadata_.size());
    PUNA_TRY(auto key, string(kMaxKeyLength, "name"));
    if (key.empty()) return fault(fmt::format("{} has no name", where_));
    if (!is_utf8(key)) return fault(fmt::format("{} has a name that is not text", where_));
    where_ = fmt::format("key '{}'", printable(key.substr(0, 100)));
    PUNA_TRY(const auto type, number<std::uint32_t>());
    PUNA_TRY(auto value, type == static_cast<std::uint32_t>(ValueType::array) ? read_array() : read_value(type));
    if (!header_.metadata_.emplace(std::move(key), std::move(value)).second) return fault(fmt::format("{} occurs twice", where_));
    return {};
  }

  Step<Value> read_value(std::uint32_t type) {
    return with_type(type, [this]<class T>(std::type_identity<T>) -> Step<Value> {
      if constexpr (std::same_as<T, std::string>) {
        PUNA_TRY(auto text, string(kMaxHeader, "string"));
        return Value(std::move(text));
      } else if constexpr (std::same_as<T, bool>) {
        PUNA_TRY(const auto byte, number<std::uint8_t>());
        return Value(byte != 0);
      } else {
        PUNA_TRY(const auto value, number<T>());
        return Value(value);
      }
    });
  }

  Step<Value> read_array() {
    PUNA_TRY(const auto type, number<std::uint32_t>());
    PUNA_TRY(const auto count, number<std::uint64_t>());
    return with_type(type, [this, count]<class T>(std::type_identity<T>) -> Step<Value> {
      constexpr std::uint64_t kElement = std::same_as<T, std::string> ? 8 : std::same_as<T, bool> ? 1 : sizeof(T);
      if (count > left_in_file() / kElement)
        return fault(fmt::format("{}: an array of {} elements in a file of {} bytes", where_, count, file_size_));
      std::vector<T> out;
      if constexpr (std::same_as<T, std::string>) {
        out.reserve(std::min<std::uint64_t>(count, (prefix_.size() - position_) / kElement));
        for (std::uint64_t i = 0; i < count; ++i) {
          PUNA_TRY(auto text, string(kMaxHeader, "string"));
          out.push_back(std::move(text));
        }
      } else {
        PUNA_TRY(const auto bytes, take(count * kElement));
        out.resize(count);
        if constexpr (std::same_as<T, bool>)
          std::transform(bytes.begin(), bytes.end(), out.begin(), [](std::byte byte) { return byte != std::byte{0}; });
        else if (count > 0)
          std::memcpy(out.data(), bytes.data(), bytes.size());
      }
      return Value(std::move(out));
    });
  }

  // Calls `read` with the C++ type behind a file's type number.
  template <class Read>
  Step<Value> with_type(std::uint32_t type, Read read) {
    switch (static_cast<ValueType>(type)) {
      case ValueType::u8:
        return read(std::type_identity<std::uint8_t>());
      case ValueType::i8:
        return read(std::type_identity<std::int8_t>());
      case ValueType::u16:
        return read(std::type_identity<std::uint16_t>());
      case ValueType::i16:
        return read(std::type_identity<std::int16_t>());
      case ValueType::u32:
        return read(std::type_identity<std::uint32_t>());
      case ValueType::i32:
        return read(std::type_identity<std::int32_t>());
      case ValueType::f32:
        return read(std::type_identity<float>());
      case ValueType::boolean:
        return read(std::type_identity<bool>());
      case ValueType::string:
        return read(std::type_identity<std::string>());
      case ValueType::u64:
        return read(std::type_identity<std::uint64_t>());
      case ValueType::i64:
        return read(std::type_identity<std::int64_t>());
      case ValueType::f64:
        return read(std::type_identity<double>());
      case ValueType::array:
        return fault(fmt::format("{} is an array of arrays, which no program reads", where_));
    }
    return fault(fmt::format("{} has the unknown value type {}", where_, type));
  }

  Step<> read_alignment() {
    const Value* found = header_.find("general.alignment");
    if (found == nullptr) return {};
    const auto* alignment = std::get_if<std::uint32_t>(found);
    if (alignment == nullptr || !std::has_single_bit(*alignment)) return fault("general.alignment is not a power of two of type u32");
    header_.alignment_ = *alignment;
    return {};
  }

  Step<> read_tensor(std::uint64_t index) {
    where_ = fmt::format("the entry of tensor {}", index);
    TensorInfo tensor;
    PUNA_TRY(tensor.name, string(kMaxTensorName, "name"));
    if (!is_utf8(tensor.name)) return fault(fmt::format("{} has a name that is not text", where_));
    where_ = fmt::format("tensor '{}'", printable(tensor.name));
    PUNA_TRY(const auto dimensions, number<std::uint32_t>());
    if (dimensions > kMaxDimensions) return fault(fmt::format("{} has {} dimensions; four are the most", where_, dimensions));
    for (std::uint32_t i = 0; i < dimensions; ++i) {
      PUNA_TRY(const auto dimension, number<std::uint64_t>());
      if (dimension == 0) return fault(fmt::format("{}: dimension {} is zero", where_, i));
      tensor.shape.push_back(dimension);
    }
    PUNA_TRY(const auto type, number<std::uint32_t>());
    const TensorTraits* row = find_traits(type);
    if (row == nullptr) return fault(fmt::format("{} has the unknown type {}", where_, type));
    tensor.type = row->type;
    const auto size = tensor_size(tensor.type, tensor.shape);
    if (!size)
      return fault(
          fmt::format("{}: the shape [{}] is no shape for type {}, or too large", where_, fmt::join(tensor.shape, ", "), row->name));
    tensor.size = *size;
    PUNA_TRY(tensor.offset, number<std::uint64_t>());
    header_.tensors_.push_back(std::move(tensor));
    return {};
  }

  std::span<const std::byte> prefix_;
  std::uint64_t file_size_;
  std::uint64_t position_ = 0;
  std::uint64_t tensor_count_ = 0;
  std::uint64_t key_count_ = 0;
  std::string where_;
  Header header_;
};

Result<ParseOutcome> Header::parse(std::span<const std::byte> prefix, Bytes file_size) {
  auto parsed = HeaderParser(prefix, file_size.count).parse();
  if (parsed) return ParseOutcome(std::move(*parsed));
  return std::visit(Overloaded{[](Error& error) -> Result<ParseOutcome> { return fail(std::move(error)); },
                               [](NeedsMore& more) -> Result<ParseOutcome> { return ParseOutcome(more); }},
                    parsed.error());
}

Result<Header> Header::read_file(const std::filesystem::path& path) {
  PUNA_TRY(const os::UniqueFd file, os::open_regular_file(path));
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return fail(errno_error(errno, fmt::format("cannot examine {}", path.string())));
  const auto size = static_cast<std::uint64_t>(info.st_size);

  // Read, not mapped: a file that another program shortens meanwhile must not end this one.
  std::vector<std::byte> prefix;
  std::uint64_t wanted = std::min<std::uint64_t>(size, 1 << 20);
  while (true) {
    std::uint64_t filled = prefix.size();
    prefix.resize(wanted);
    while (filled < wanted) {
      const ssize_t got = ::pread(file.get(), prefix.data() + filled, wanted - filled, static_cast<off_t>(filled));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail(errno_error(errno, fmt::format("cannot read {}", path.string())));
      if (got == 0) return fail(Code::corrupt_data, fmt::format("{} became shorter while it was read", path.string()));
      filled += static_cast<std::uint64_t>(got);
    }
    auto outcome = parse(prefix, Bytes(size));
    if (!outcome) return fail(std::move(outcome).error().within(path.filename().string()));
    if (auto* header = std::get_if<Header>(&*outcome)) return std::move(*header);
    wanted = std::min(size, std::max(std::get<NeedsMore>(*outcome).bytes, wanted * 4));
  }
}

const Value* Header::find(std::string_view key) const {
  const auto found = metadata_.find(key);
  return found == metadata_.end() ? nullptr : &found->second;
}

std::optional<std::string_view> Header::text(std::string_view key) const {
  const Value* value = find(key);
  const auto* text = value == nullptr ? nullptr : std::get_if<std::string>(value);
  if (text == nullptr) return std::nullopt;
  return *text;
}

std::optional<std::uint64_t> Header::integer(std::string_view key) const {
  const Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  return std::visit(
      []<class T>(const T& found) -> std::optional<std::uint64_t> {
        if constexpr (std::integral<T> && !std::same_as<T, bool>) {
          if (std::cmp_greater_equal(found, 0)) return static_cast<std::uint64_t>(found);
        }
        return std::nullopt;
      },
      *value);
}

std::optional<double> Header::number(std::string_view key) const {
  const Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  return std::visit(
      []<class T>(const T& found) -> std::optional<double> {
        if constexpr (std::is_arithmetic_v<T> && !std::same_as<T, bool>) return static_cast<double>(found);
        return std::nullopt;
      },
      *value);
}

std::optional<bool> Header::boolean(std::string_view key) const {
  const Value* value = find(key);
  const auto* flag = value == nullptr ? nullptr : std::get_if<bool>(value);
  if (flag == nullptr) return std::nullopt;
  return *flag;
}

std::size_t Header::array_size(std::string_view key) const {
  const Value* value = find(key);
  if (value == nullptr) return 0;
  return std::visit(
      []<class T>(const T& found) -> std::size_t {
        if constexpr (requires { typename T::allocator_type; } && !std::same_as<T, std::string>) return found.size();
        return 0;
      },
      *value);
}

}  // namespace puna::gguf
