#include "hub/transfer/span_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace puna::hub::transfer {

void SpanSet::add(Span span) {
  if (span.empty()) return;
  auto at = spans_.upper_bound(span.from);
  if (at != spans_.begin() && std::prev(at)->second >= span.from) --at;
  while (at != spans_.end() && at->first <= span.to) {
    span.from = std::min(span.from, at->first);
    span.to = std::max(span.to, at->second);
    total_ -= at->second - at->first;
    at = spans_.erase(at);
  }
  spans_.emplace(span.from, span.to);
  total_ += span.size();
}

void SpanSet::remove(Span span) {
  if (span.empty()) return;
  auto at = spans_.upper_bound(span.from);
  if (at != spans_.begin()) --at;
  while (at != spans_.end() && at->first < span.to) {
    const Span found{at->first, at->second};
    if (found.to <= span.from) {
      ++at;
      continue;
    }
    total_ -= found.size();
    at = spans_.erase(at);
    for (const Span rest : {Span{found.from, span.from}, Span{span.to, found.to}}) {
      if (rest.empty()) continue;
      at = std::next(spans_.emplace(rest.from, rest.to).first);
      total_ += rest.size();
    }
  }
}

bool SpanSet::contains(Span span) const {
  if (span.empty()) return true;
  const auto at = spans_.upper_bound(span.from);
  return at != spans_.begin() && std::prev(at)->second >= span.to;
}

std::uint64_t SpanSet::prefix() const {
  return spans_.empty() || spans_.begin()->first > 0 ? 0 : spans_.begin()->second;
}

std::optional<Span> SpanSet::first_gap(Span within) const {
  auto next = spans_.upper_bound(within.from);
  std::uint64_t from = within.from;
  if (next != spans_.begin()) from = std::max(from, std::prev(next)->second);
  const std::uint64_t to = next == spans_.end() ? within.to : std::min(within.to, next->first);
  if (from >= within.to) return std::nullopt;
  return Span{from, to};
}

std::vector<Span> SpanSet::spans() const {
  std::vector<Span> out;
  out.reserve(spans_.size());
  for (const auto& [from, to] : spans_) out.push_back({from, to});
  return out;
}

std::string SpanSet::text() const {
  std::string out;
  for (const auto& [from, to] : spans_) fmt::format_to(std::back_inserter(out), "{}{}-{}", out.empty() ? "" : ",", from, to);
  return out;
}

std::optional<SpanSet> SpanSet::parse(std::string_view text) {
  SpanSet out;
  const char* at = text.data();
  const char* const end = at + text.size();
  std::uint64_t before = 0;
  while (at != end) {
    if (!out.empty() && *at++ != ',') return std::nullopt;
    Span span;
    const auto first = std::from_chars(at, end, span.from);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') return std::nullopt;
    const auto second = std::from_chars(first.ptr + 1, end, span.to);
    if (second.ec != std::errc() || span.empty() || (!out.empty() && span.from <= before)) return std::nullopt;
    before = span.to;
    out.add(span);
    at = second.ptr;
  }
  return out;
}

}  // namespace puna::hub::transfer
