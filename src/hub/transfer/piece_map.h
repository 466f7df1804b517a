// Who brings which part of a file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "hub/transfer/span_set.h"

namespace puna::hub::transfer {

// A stretch is what one connection brings: it begins where something is missing, and ends at a piece's boundary, at the next byte that is
// here or on its way, or earlier when another connection takes over its end. A value; pure.
class PieceMap {
 public:
  using Id = std::uint64_t;

  explicit PieceMap(std::uint64_t piece) : piece_(piece) {}

  void set_size(std::uint64_t size) { size_ = size; }
  [[nodiscard]] std::optional<std::uint64_t> size() const { return size_; }
  [[nodiscard]] const SpanSet& present() const { return present_; }
  [[nodiscard]] bool complete() const { return size_ && present_.total() >= *size_; }
  // Bytes that are neither here nor on their way; 0 while the size is unknown.
  [[nodiscard]] std::uint64_t unclaimed() const;

  struct Stretch {
    Id id = 0;
    Span span;
  };
  // The first missing bytes: up to the end of the piece they begin in, and whole pieces after it as long as `longest` allows.
  [[nodiscard]] std::optional<Stretch> take(std::uint64_t longest);
  // Everything from the first byte, whatever is here: of a server without ranges.
  [[nodiscard]] Stretch take_all();
  // The same for a stretch that is under way.
  void claim_all(Id id);
  // The second half of what a stretch has still to bring after `at`, for another connection; nullopt when less than `least` would be left
  // to either.
  [[nodiscard]] std::optional<Stretch> split(Id id, std::uint64_t at, std::uint64_t least);
  // Where a stretch ends by now.
  [[nodiscard]] std::uint64_t end_of(Id id) const;
  // The connection is done: what it has not brought is missing again.
  void give_back(Id id);

  // These bytes are in the file.
  void arrived(Span span);
  // They are not, after all.
  void lost(Span span);

 private:
  void recount();

  std::uint64_t piece_;
  std::optional<std::uint64_t> size_;
  SpanSet present_;
  SpanSet busy_;  // present or claimed
  std::map<Id, Span> claims_;
  Id next_ = 1;
};

}  // namespace puna::hub::transfer
