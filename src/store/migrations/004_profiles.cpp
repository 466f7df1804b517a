#include <array>

#include "store/migrations/tables.h"

namespace puna::store {
namespace {

constexpr std::array<std::string_view, 2> kStatements = {
    // name_key is the same for names that differ in case only. A removed profile keeps its row, so that its versions go on.
    R"(CREATE TABLE profiles (
      name_key TEXT NOT NULL PRIMARY KEY,
      name TEXT NOT NULL,
      version BIGINT NOT NULL,
      removed BIGINT NOT NULL,
      created_at BIGINT NOT NULL,
      modified_at BIGINT NOT NULL))",
    R"(CREATE TABLE profile_versions (
      name_key TEXT NOT NULL REFERENCES profiles (name_key),
      version BIGINT NOT NULL,
      settings TEXT NOT NULL,
      note TEXT NOT NULL,
      made_at BIGINT NOT NULL,
      PRIMARY KEY (name_key, version)))",
};

}  // namespace

constinit const std::span<const std::string_view> kProfileTables = kStatements;

}  // namespace puna::store
