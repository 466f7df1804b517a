#include "telemetry/trace.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <random>
#include <span>

#include "base/text.h"

namespace puna::telemetry {
namespace {

constexpr std::size_t kLongestState = 512;  // what everybody passes on

template <class Id>
Id random_id() {
  Id out{};
  while (std::ranges::all_of(out, [](auto byte) { return byte == 0; }))
    if (::getrandom(out.data(), out.size(), 0) != static_cast<ssize_t>(out.size())) {
      std::random_device random;
      std::ranges::generate(out, [&] { return static_cast<std::uint8_t>(random()); });
    }
  return out;
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool read_bytes(std::string_view text, std::span<std::uint8_t> into) {
  if (text.size() != 2 * into.size()) return false;
  for (std::size_t i = 0; i < into.size(); ++i) {
    const int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    into[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return true;
}

struct Parent {
  TraceId trace{};
  SpanId span{};
  std::uint8_t flags = 0;
};

bool is_zero(std::span<const std::uint8_t> bytes) {
  return std::ranges::all_of(bytes, [](auto byte) { return byte == 0; });
}

// "00-TRACE-SPAN-FLAGS"; a later version may say more behind these.
std::optional<Parent> read_parent(std::string_view text) {
  constexpr std::size_t kSize = 55;
  constexpr std::uint8_t kNoVersion = 0xFF;
  Parent out;
  std::uint8_t version = 0;
  if (text.size() < kSize || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  if (!read_bytes(text.substr(0, 2), {&version, 1}) || version == kNoVersion) return std::nullopt;
  if (text.size() > kSize && (version == 0 || text[kSize] != '-')) return std::nullopt;
  if (!read_bytes(text.substr(3, 32), out.trace) || !read_bytes(text.substr(36, 16), out.span) ||
      !read_bytes(text.substr(53, 2), {&out.flags, 1}))
    return std::nullopt;
  if (is_zero(out.trace) || is_zero(out.span)) return std::nullopt;
  return out;
}

std::string read_state(const net::Headers& headers) {
  std::string out;
  for (const auto part : headers.all("tracestate"))
    if (const auto text = trim(part); !text.empty()) out += (out.empty() ? "" : ",") + std::string(text);
  const bool plain = std::ranges::all_of(out, [](char c) { return c >= ' ' && c <= '~'; });
  return plain && out.size() <= kLongestState ? out : std::string();
}

std::string hex_of(std::span<const std::uint8_t> bytes) {
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

}  // namespace

Trace Trace::begin(const net::Headers& headers, const Clock& clock) {
  Trace out;
  out.wall_ = clock.wall();
  out.monotonic_ = clock.monotonic();
  out.id_ = random_id<SpanId>();
  const auto given = headers.all("traceparent");
  const auto parent = given.size() == 1 ? read_parent(trim(given.front())) : std::nullopt;
  if (!parent) {
    out.trace_ = random_id<TraceId>();
    return out;
  }
  out.trace_ = parent->trace;
  out.parent_ = parent->span;
  out.sampled_ = (parent->flags & 1U) != 0;
  out.state_ = read_state(headers);
  return out;
}

Trace Trace::below() const {
  Trace out = *this;
  out.parent_ = id_;
  out.id_ = random_id<SpanId>();
  return out;
}

WallTime Trace::wall(MonotonicTime moment) const {
  return wall_ + std::chrono::duration_cast<WallTime::duration>(moment - monotonic_);
}

Span Trace::span(std::string name, SpanKind kind, MonotonicTime from, MonotonicTime to) const {
  return {.trace = trace_,
          .id = id_,
          .parent = parent_,
          .state = state_,
          .name = std::move(name),
          .kind = kind,
          .begin = wall(from),
          .end = wall(std::max(from, to)),
          .attributes = {}};
}

void Trace::write(net::Headers& headers) const {
  headers.set("traceparent", fmt::format("00-{}-{}-{}", hex(trace_), hex(id_), sampled_ ? "01" : "00"));
  if (!state_.empty()) headers.set("tracestate", state_);
}

std::string hex(const TraceId& id) {
  return hex_of(id);
}
std::string hex(const SpanId& id) {
  return hex_of(id);
}

}  // namespace puna::telemetry
