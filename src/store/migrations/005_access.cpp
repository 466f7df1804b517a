#include <array>

#include "store/migrations/tables.h"

namespace puna::store {
namespace {

constexpr std::array<std::string_view, 3> kStatements = {
    // terms are a wire::KeyRequest. Revoked keys stay, so that what they used keeps its name.
    R"(CREATE TABLE api_keys (
      id TEXT NOT NULL PRIMARY KEY,
      name TEXT NOT NULL,
      prefix TEXT NOT NULL,
      sha256 TEXT NOT NULL UNIQUE,
      terms TEXT NOT NULL,
      created_at BIGINT NOT NULL,
      expires_at BIGINT,
      revoked_at BIGINT,
      last_used_at BIGINT))",
    // One row for each day (of UTC), client and model: sums.
    R"(CREATE TABLE usage_days (
      day TEXT NOT NULL,
      client TEXT NOT NULL,
      model TEXT NOT NULL,
      requests BIGINT NOT NULL,
      failures BIGINT NOT NULL,
      tokens_in BIGINT NOT NULL,
      tokens_cached BIGINT NOT NULL,
      tokens_out BIGINT NOT NULL,
      first_token_ms BIGINT NOT NULL,
      duration_ms BIGINT NOT NULL,
      PRIMARY KEY (day, client, model)))",
    "CREATE INDEX usage_days_client ON usage_days (client, day)",
};

}  // namespace

constinit const std::span<const std::string_view> kAccessTables = kStatements;

}  // namespace puna::store
