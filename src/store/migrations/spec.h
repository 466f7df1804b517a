// The shape of the database, as steps from one version to the next.
#pragma once

#include <span>
#include <string_view>

namespace puna::store {

// Statements are portable SQL; {blob} and {identity} stand for what databases name differently (dialect.h). A released migration never
// changes: a correction is a further one.
struct Migration {
  int version = 0;  // from 1, without gaps
  std::string_view name;
  std::span<const std::string_view> statements;
};

// All of them. To add one: a file beside this one that exports a constant, and its line in registry.cpp.
[[nodiscard]] std::span<const Migration> migrations();

}  // namespace puna::store
