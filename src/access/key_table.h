// The table of API keys.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "store/database.h"

namespace puna::access {

struct KeyRow {
  std::string id;
  std::string name;
  std::string prefix;
  std::string sha256;  // of the key's text
  json::value terms;   // the wire::KeyRequest
  WallTime created_at;
  std::optional<WallTime> expires_at;
  std::optional<WallTime> revoked_at;
  std::optional<WallTime> last_used_at;
};
BOOST_DESCRIBE_STRUCT(KeyRow, (), (id, name, prefix, sha256, terms, created_at, expires_at, revoked_at, last_used_at))

class KeyTable {
 public:
  explicit KeyTable(store::Database& database) : database_(database) {}
  [[nodiscard]] Result<std::vector<KeyRow>> load() const;  // oldest first
  [[nodiscard]] Result<> insert(const KeyRow& row);
  [[nodiscard]] Result<> revoke(std::string_view id, WallTime when);
  struct Use {
    std::string id;
    WallTime when;
  };
  [[nodiscard]] Result<> note_uses(const std::vector<Use>& uses);

 private:
  store::Database& database_;
};

}  // namespace puna::access
