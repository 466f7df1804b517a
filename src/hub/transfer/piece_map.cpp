#include "hub/transfer/piece_map.h"

#include <algorithm>

namespace puna::hub::transfer {

std::uint64_t PieceMap::unclaimed() const {
  return size_ ? *size_ - std::min(*size_, busy_.total()) : 0;
}

std::optional<PieceMap::Stretch> PieceMap::take(std::uint64_t longest) {
  // Of a file whose size is unknown, the piece after what is here.
  const auto gap = busy_.first_gap({0, size_.value_or((present_.prefix() / piece_ + 1) * piece_)});
  if (!gap) return std::nullopt;
  const std::uint64_t to_boundary = piece_ - gap->from % piece_;
  const std::uint64_t pieces_more = longest > to_boundary ? (longest - to_boundary) / piece_ : 0;
  const Span span{gap->from, std::min(gap->to, gap->from + to_boundary + pieces_more * piece_)};
  claims_[next_] = span;
  busy_.add(span);
  return Stretch{next_++, span};
}

PieceMap::Stretch PieceMap::take_all() {
  const Id id = next_++;
  claim_all(id);
  return {id, claims_[id]};
}

void PieceMap::claim_all(Id id) {
  claims_[id] = {0, size_.value_or(UINT64_MAX)};
  recount();
}

std::optional<PieceMap::Stretch> PieceMap::split(Id id, std::uint64_t at, std::uint64_t least) {
  const auto found = claims_.find(id);
  if (found == claims_.end()) return std::nullopt;
  auto& victim = found->second;
  at = std::max(at, victim.from);
  if (victim.to < at || victim.to - at < 2 * least) return std::nullopt;
  const Span rest{at + (victim.to - at) / 2, victim.to};
  victim.to = rest.from;
  claims_[next_] = rest;
  return Stretch{next_++, rest};
}

std::uint64_t PieceMap::end_of(Id id) const {
  const auto found = claims_.find(id);
  return found == claims_.end() ? 0 : found->second.to;
}

void PieceMap::give_back(Id id) {
  if (claims_.erase(id) > 0) recount();
}

void PieceMap::arrived(Span span) {
  present_.add(span);
  busy_.add(span);
}

void PieceMap::lost(Span span) {
  present_.remove(span);
  recount();
}

void PieceMap::recount() {
  busy_ = present_;
  for (const auto& [id, span] : claims_) busy_.add(span);
}

}  // namespace puna::hub::transfer
