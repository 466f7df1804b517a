// Who calls, what they may, and what they use.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "access/gate.h"
#include "access/keys.h"
#include "access/limits.h"
#include "access/request_log.h"
#include "access/usage.h"

namespace puna::access {

// Network thread.
class Access {
 public:
  struct Parts {
    net::Io& io;
    store::Database& database;
    Gate::SettingsSource settings;
    const Clock& clock;
    std::filesystem::path request_log;
  };
  explicit Access(Parts parts);
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;
  // Reads what is stored; blocks. Once, before anything else.
  [[nodiscard]] Result<> load();

  [[nodiscard]] Keys& keys() { return keys_; }
  [[nodiscard]] Gate& gate() { return gate_; }
  [[nodiscard]] RequestLog& request_log() { return request_log_; }

  // A request under way that uses a model.
  class Turn {
   public:
    Turn(Turn&& other) noexcept : access_(std::exchange(other.access_, nullptr)), client_(std::move(other.client_)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn();

   private:
    friend class Access;
    Turn(Access& access, std::string client) : access_(&access), client_(std::move(client)) {}
    Access* access_;
    std::string client_;
  };
  // Rate limits and the key's budget. Code::overloaded with retry_after.
  [[nodiscard]] Result<Turn> begin(const Caller& caller);
  // Header fields that tell the caller its limits.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> limit_headers(const Caller& caller) const;
  // Whether a client's key is good and allows the model, by the name that was asked for or its full one. For work that no caller waits
  // for, too. Code::permission_denied, Code::unauthenticated.
  [[nodiscard]] Result<> may_use(const std::string& client, std::string_view asked, std::string_view full) const;

  void note_key_use(const std::string& id);
  void used(const ModelUse& use);
  [[nodiscard]] wire::ApiKey with_spent(wire::ApiKey key) const;
  // Everything until now among it.
  [[nodiscard]] net::Task<Result<std::vector<wire::UsageRow>>> usage(UsageQuery query);

  // Writes what is pending. At the daemon's end, too.
  [[nodiscard]] net::Task<Result<>> flush();

 private:
  [[nodiscard]] Rate rate_of(const Caller& caller) const;
  [[nodiscard]] Result<> check_budget(const Caller& caller) const;
  void flush_later();
  static net::Task<void> flush_now(Access& access);

  net::Io& io_;
  Gate::SettingsSource settings_;
  Keys keys_;
  Gate gate_;
  Limits limits_;
  UsageBook usage_;
  RequestLog request_log_;
  const Clock& clock_;
  std::map<std::string, std::int64_t> under_way_;  // by client
  bool flush_due_ = false;
  net::Watchdog flush_timer_;
  net::Spawned flushing_;
};

}  // namespace puna::access
