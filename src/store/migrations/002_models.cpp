#include <array>

#include "store/migrations/tables.h"

namespace puna::store {
namespace {

constexpr std::array<std::string_view, 3> kStatements = {
    // A file, whatever it is called. modified_ns is the file's own time, by which a change on the disk is noticed.
    R"(CREATE TABLE model_files (
      sha256 TEXT NOT NULL PRIMARY KEY,
      size BIGINT NOT NULL,
      modified_ns BIGINT NOT NULL,
      details TEXT NOT NULL,
      description BIGINT NOT NULL,
      added_at BIGINT NOT NULL))",
    // name_key is the same for names that differ in case only.
    R"(CREATE TABLE models (
      name_key TEXT NOT NULL PRIMARY KEY,
      name TEXT NOT NULL,
      sha256 TEXT NOT NULL REFERENCES model_files (sha256),
      source TEXT NOT NULL,
      created_at BIGINT NOT NULL,
      modified_at BIGINT NOT NULL))",
    "CREATE INDEX models_sha256 ON models (sha256)",
};

}  // namespace

constinit const std::span<const std::string_view> kModelTables = kStatements;

}  // namespace puna::store
