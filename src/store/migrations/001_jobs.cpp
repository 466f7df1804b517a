#include <array>

#include "store/migrations/tables.h"

namespace puna::store {
namespace {

constexpr std::array<std::string_view, 2> kStatements = {
    // active_key is null once a job has ended: among the others it is unique.
    R"(CREATE TABLE jobs (
      id TEXT NOT NULL PRIMARY KEY,
      sequence BIGINT NOT NULL UNIQUE,
      kind TEXT NOT NULL,
      title TEXT NOT NULL,
      active_key TEXT,
      state TEXT NOT NULL,
      request TEXT NOT NULL,
      result TEXT,
      failure TEXT,
      checkpoint TEXT,
      progress TEXT NOT NULL,
      attempt BIGINT NOT NULL,
      crashes BIGINT NOT NULL,
      created_at BIGINT NOT NULL,
      updated_at BIGINT NOT NULL))",
    "CREATE UNIQUE INDEX jobs_active_key ON jobs (active_key)",
};

}  // namespace

constinit const std::span<const std::string_view> kJobsTables = kStatements;

}  // namespace puna::store
