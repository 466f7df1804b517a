#include <array>

#include "store/migrations/tables.h"

namespace puna::store {
namespace {

// What clients of OpenAI's API leave with the server. owner is the id of the key that it belongs to, empty for whoever has none.
constexpr std::array<std::string_view, 9> kStatements = {
    R"(CREATE TABLE responses (
      id TEXT NOT NULL PRIMARY KEY,
      owner TEXT NOT NULL,
      previous_id TEXT,
      response TEXT NOT NULL,
      input TEXT NOT NULL,
      bytes BIGINT NOT NULL,
      created_at BIGINT NOT NULL,
      used_at BIGINT NOT NULL))",
    "CREATE INDEX responses_used_at ON responses (used_at)",
    // The content lies in a file of that id.
    R"(CREATE TABLE files (
      id TEXT NOT NULL PRIMARY KEY,
      owner TEXT NOT NULL,
      filename TEXT NOT NULL,
      purpose TEXT NOT NULL,
      bytes BIGINT NOT NULL,
      created_at BIGINT NOT NULL,
      expires_at BIGINT))",
    "CREATE INDEX files_owner ON files (owner, created_at)",
    R"(CREATE TABLE batches (
      id TEXT NOT NULL PRIMARY KEY,
      owner TEXT NOT NULL,
      state TEXT NOT NULL,
      record TEXT NOT NULL,
      created_at BIGINT NOT NULL))",
    "CREATE INDEX batches_owner ON batches (owner, created_at)",
    "CREATE INDEX batches_state ON batches (state)",
    // A line of a batch that has its answer. Its place in the output is that of its line.
    R"(CREATE TABLE batch_lines (
      batch TEXT NOT NULL REFERENCES batches (id),
      line BIGINT NOT NULL,
      failed BIGINT NOT NULL,
      answer TEXT NOT NULL,
      PRIMARY KEY (batch, line)))",
    "CREATE INDEX files_expires_at ON files (expires_at)",
};

}  // namespace

constinit const std::span<const std::string_view> kBatchTables = kStatements;

}  // namespace puna::store
