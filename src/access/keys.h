// The API keys: made, told apart, revoked.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "access/caller.h"
#include "access/key_table.h"
#include "base/clock.h"
#include "base/secret.h"
#include "net/io.h"

namespace puna::access {

// All keys in memory, and what changes in the database too. Network thread.
class Keys {
 public:
  Keys(net::Io& io, store::Database& database, const Clock& clock);

  // Reads the table; blocks. Once, before anything else.
  [[nodiscard]] Result<> load();

  // The text is told here and never again. Code::already_exists when an active key has the name; Code::invalid_argument names the member.
  [[nodiscard]] net::Task<Result<wire::NewKey>> create(wire::KeyRequest request);
  // By ID or by name (an active key before others). From the moment this is called the key is refused; requests that run with it are
  // told through revocations(). Revoking twice is fine.
  [[nodiscard]] net::Task<Result<wire::ApiKey>> revoke(std::string id_or_name);

  [[nodiscard]] std::vector<wire::ApiKey> list() const;  // newest first
  [[nodiscard]] Result<wire::ApiKey> find(std::string_view id_or_name) const;
  [[nodiscard]] std::optional<wire::ApiKey> find_id(const std::string& id) const;
  [[nodiscard]] std::string name_of(std::string_view id) const;  // the ID itself when no key has it
  [[nodiscard]] bool any_active() const;

  // Whose key this is. Code::unauthenticated, without a word about which keys there are.
  [[nodiscard]] Result<Caller> identify(std::string_view text) const;
  void note_use(std::string_view id);
  // Uses since the last call, to be written.
  [[nodiscard]] std::vector<KeyTable::Use> take_uses();
  [[nodiscard]] KeyTable& table() { return table_; }

  [[nodiscard]] net::Notifier& revocations() { return revocations_; }
  [[nodiscard]] bool is_revoked(std::string_view id) const;

 private:
  struct Key {
    KeyRow row;
    std::shared_ptr<const wire::KeyRequest> terms;
    bool used = false;  // since the last take_uses()
  };
  [[nodiscard]] wire::KeyState state_of(const Key& key) const;
  [[nodiscard]] wire::ApiKey view(const Key& key) const;
  [[nodiscard]] const Key* look_up(std::string_view id_or_name) const;

  net::Io& io_;
  KeyTable table_;
  const Clock& clock_;
  std::map<std::string, Key, std::less<>> keys_;                    // by ID
  std::multimap<std::string, std::string, std::less<>> by_digest_;  // the digest's beginning to the ID
  std::set<std::string> being_made_;                                // names, in lower case
  net::Notifier revocations_;
};

}  // namespace puna::access
