// Which bytes of a file are meant: a set of spans.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace puna::hub::transfer {

// Half-open: [from, to).
struct Span {
  std::uint64_t from = 0;
  std::uint64_t to = 0;

  [[nodiscard]] std::uint64_t size() const { return to > from ? to - from : 0; }
  [[nodiscard]] bool empty() const { return to <= from; }
  bool operator==(const Span&) const = default;
};

// Spans that touch are one. A value.
class SpanSet {
 public:
  void add(Span span);
  void remove(Span span);
  void clear() { spans_.clear(), total_ = 0; }

  [[nodiscard]] std::uint64_t total() const { return total_; }  // bytes
  [[nodiscard]] bool contains(Span span) const;
  [[nodiscard]] bool empty() const { return spans_.empty(); }
  // Where the span that begins with byte 0 ends.
  [[nodiscard]] std::uint64_t prefix() const;
  // The first span of missing bytes that begins in `within`, cut at its end.
  [[nodiscard]] std::optional<Span> first_gap(Span within) const;
  [[nodiscard]] std::vector<Span> spans() const;

  // "0-100,200-300"; nullopt for what text() never writes.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] static std::optional<SpanSet> parse(std::string_view text);

  bool operator==(const SpanSet&) const = default;

 private:
  std::map<std::uint64_t, std::uint64_t> spans_;  // from -> to
  std::uint64_t total_ = 0;
};

}  // namespace puna::hub::transfer
