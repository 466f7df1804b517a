#include "trainer/tensorboard.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>

namespace puna::trainer {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are written as they lie in memory");

constexpr std::array<std::uint32_t, 256> crc_table() {
  std::array<std::uint32_t, 256> out{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = (rest & 1) != 0 ? (rest >> 1) ^ 0x82F63B78u : rest >> 1;
    out[byte] = rest;
  }
  return out;
}
constexpr auto kCrcTable = crc_table();

template <class T>
void put(std::string& out, T number) {
  std::array<char, sizeof(T)> bytes;
  std::memcpy(bytes.data(), &number, sizeof(T));
  out.append(bytes.data(), bytes.size());
}

// So that a sum over data which contains sums is none of them.
std::uint32_t masked(std::uint32_t sum) {
  return std::rotr(sum, 15) + 0xA282EAD8u;
}

std::string record(std::string_view data) {
  std::string out;
  put(out, static_cast<std::uint64_t>(data.size()));
  put(out, masked(crc32c(out)));
  out += data;
  put(out, masked(crc32c(data)));
  return out;
}

// How the bytes of a field are to be read (protobuf's wire types).
enum class WireType : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

void put_varint(std::string& out, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) out += static_cast<char>((number & 0x7F) | 0x80);
  out += static_cast<char>(number);
}

void put_key(std::string& out, unsigned field, WireType type) {
  put_varint(out, field << 3 | static_cast<unsigned>(type));
}

void put_bytes(std::string& out, unsigned field, std::string_view bytes) {
  put_key(out, field, WireType::bytes);
  put_varint(out, bytes.size());
  out += bytes;
}

std::string event_at(WallTime now) {
  std::string out;
  put_key(out, 1, WireType::fixed64);
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  put(out, static_cast<double>(microseconds) / 1e6);
  return out;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t sum = ~0u;
  for (const char byte : bytes) sum = kCrcTable[(sum ^ static_cast<unsigned char>(byte)) & 0xFF] ^ (sum >> 8);
  return ~sum;
}

std::string opening_record(WallTime now) {
  std::string event = event_at(now);
  put_bytes(event, 3, "brain.Event:2");
  return record(event);
}

std::string scalar_record(WallTime now, std::int64_t step, std::span<const Scalar> scalars) {
  std::string summary;
  for (const auto& scalar : scalars) {
    std::string value;
    put_bytes(value, 1, scalar.tag);
    put_key(value, 2, WireType::fixed32);
    put(value, static_cast<float>(scalar.value));
    put_bytes(summary, 1, value);
  }
  std::string event = event_at(now);
  if (step != 0) {
    put_key(event, 2, WireType::varint);
    put_varint(event, static_cast<std::uint64_t>(step));
  }
  put_bytes(event, 5, summary);
  return record(event);
}

std::vector<Scalar> scalars_of(const wire::TuneEvent& event) {
  std::vector<Scalar> out;
  const auto take = [&](std::string_view tag, const std::optional<double>& value) {
    if (value) out.push_back({tag, *value});
  };
  if (event.kind == wire::TuneEventKind::step) {
    take("train/loss", event.loss);
    take("train/smoothed_loss", event.smoothed_loss);
    take("train/learning_rate", event.learning_rate);
    take("train/gradient_norm", event.gradient_norm);
    take("train/tokens_per_second", event.tokens_per_second);
    if (event.rewards) {
      out.push_back({"rewards/chosen", event.rewards->chosen});
      out.push_back({"rewards/rejected", event.rewards->rejected});
      out.push_back({"rewards/margin", event.rewards->margin});
      out.push_back({"rewards/accuracy", event.rewards->accuracy});
    }
  }
  if (event.kind == wire::TuneEventKind::evaluation && event.eval_loss) {
    out.push_back({"eval/loss", *event.eval_loss});
    out.push_back({"eval/perplexity", std::exp(*event.eval_loss)});
  }
  return out;
}

Result<EventFile> EventFile::create(const std::filesystem::path& folder, WallTime now) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  for (int turn = 0;; ++turn) {
    // TensorBoard wants "tfevents" in the name, and takes names in their order.
    const auto path = folder / fmt::format("events.out.tfevents.{:010}.{:03}.puna", seconds, turn);
    os::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600));
    if (!file && errno == EEXIST && turn < 999) continue;
    if (!file) return fail(errno_error(errno, fmt::format("cannot create {}", path.string())));
    PUNA_CHECK(os::write_all(file.get(), opening_record(now)));
    return EventFile(std::move(file));
  }
}

Result<> EventFile::add(WallTime now, const wire::TuneEvent& event) {
  const auto scalars = scalars_of(event);
  if (scalars.empty()) return {};
  return os::write_all(file_.get(), scalar_record(now, event.step.value_or(0), scalars));
}

}  // namespace puna::trainer
