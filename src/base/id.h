// Strong identifiers: Id<struct JobTag> does not mix with Id<struct ModelTag>.
#pragma once

#include <compare>
#include <string>

namespace puna {

// 128 random bits and time, as 26 letters of Crockford's base 32 (ULID): sorts by creation, unique without coordination. Thread-safe.
[[nodiscard]] std::string new_ulid();

template <class Tag>
struct Id {
  std::string value;
  [[nodiscard]] static Id make() { return Id{new_ulid()}; }
  auto operator<=>(const Id&) const = default;
};

}  // namespace puna
