// A database, a clock and settings of a test's own.
#pragma once

#include "access/keys.h"
#include "base/settings.h"
#include "store/database.h"

namespace puna::access {

struct Scene {
  net::Io io{1};
  ManualClock clock;
  store::Database database = store::Database::open(":memory:").value();
  std::unique_ptr<SettingsStore> store = std::make_unique<SettingsStore>(SettingsStore::Sources{});
  Keys keys{io, database, clock};

  void set(std::map<std::string, std::string> flags) {
    store = std::make_unique<SettingsStore>(SettingsStore::Sources{.flags = std::move(flags)});
  }
  [[nodiscard]] std::function<std::shared_ptr<const Settings>()> settings() {
    return [this] { return store->snapshot(); };
  }
  Result<wire::NewKey> create(wire::KeyRequest request) { return net::run_blocking(io, keys.create(std::move(request))); }
  std::string secret(wire::KeyRequest request) { return create(std::move(request)).value().secret; }
  Result<wire::ApiKey> revoke(std::string name) { return net::run_blocking(io, keys.revoke(std::move(name))); }
};

}  // namespace puna::access
