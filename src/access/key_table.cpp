#include "access/key_table.h"

namespace puna::access {

using store::Reader;
using store::Transaction;

Result<std::vector<KeyRow>> KeyTable::load() const {
  return database_.read([](Reader& reader) { return reader.query_as<KeyRow>("SELECT * FROM api_keys ORDER BY created_at, id"); });
}

Result<> KeyTable::insert(const KeyRow& row) {
  return database_.write([&](Transaction& tx) -> Result<> {
    PUNA_CHECK(
        tx.execute("INSERT INTO api_keys (id, name, prefix, sha256, terms, created_at, expires_at, revoked_at, last_used_at) "
                   "VALUES (:id, :name, :prefix, :sha256, :terms, :created_at, :expires_at, :revoked_at, :last_used_at)",
                   store::parameters_of(row)));
    return {};
  });
}

Result<> KeyTable::revoke(std::string_view id, WallTime when) {
  return database_.write([&](Transaction& tx) -> Result<> {
    PUNA_CHECK(tx.execute("UPDATE api_keys SET revoked_at = :when WHERE id = :id", {{"id", id}, {"when", when}}));
    return {};
  });
}

Result<> KeyTable::note_uses(const std::vector<Use>& uses) {
  return database_.write([&](Transaction& tx) -> Result<> {
    for (const auto& use : uses)
      PUNA_CHECK(tx.execute("UPDATE api_keys SET last_used_at = :when WHERE id = :id", {{"id", use.id}, {"when", use.when}}));
    return {};
  });
}

}  // namespace puna::access
