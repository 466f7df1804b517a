// What was used: by whom, of which model, on which day.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/clock.h"
#include "base/units.h"
#include "net/io.h"
#include "store/database.h"
#include "wire/access.h"

namespace puna::access {

// One request that reached a model, or failed to.
struct ModelUse {
  std::string client;  // Caller::id
  std::string model;   // full name; empty when there was none
  bool failed = false;
  std::int64_t tokens_in = 0;
  std::int64_t tokens_cached = 0;
  std::int64_t tokens_out = 0;
  Milliseconds first_token{0};
  Milliseconds duration{0};
};

// "2026-01-31", "2026-01" and the time at which the next one begins; of UTC.
[[nodiscard]] std::string day_of(WallTime time);
[[nodiscard]] std::string period_of(wire::BudgetPeriod period, WallTime time);
[[nodiscard]] WallTime end_of(wire::BudgetPeriod period, WallTime time);

struct UsageQuery {
  std::string from;  // a day; empty: from the beginning
  std::string to;    // a day, itself included; empty: until now
  std::optional<std::string> client;
  std::optional<std::string> model;
};

// Sums are kept in memory and written together, so that a request costs no transaction: a daemon that is killed loses those of the last
// seconds. Network thread but for what says that it blocks.
class UsageBook {
 public:
  UsageBook(net::Io& io, store::Database& database, const Clock& clock) : io_(io), database_(database), clock_(clock) {}

  // Reads what this month's budgets have seen; blocks. Once, before anything else.
  [[nodiscard]] Result<> load();
  void record(const ModelUse& use);
  // Of the current period; failed requests do not count.
  [[nodiscard]] wire::Spent spent(std::string_view client, wire::BudgetPeriod period) const;

  [[nodiscard]] bool dirty() const { return !pending_.empty(); }
  // Writes what is pending, and forgets days that are older than `keep`. What could not be written stays pending.
  [[nodiscard]] net::Task<Result<>> flush(Milliseconds keep);
  // Of what is written, newest day first; blocks. The names are left empty.
  [[nodiscard]] Result<std::vector<wire::UsageRow>> rows(const UsageQuery& query) const;

 private:
  struct Sums {
    std::int64_t requests = 0, failures = 0, tokens_in = 0, tokens_cached = 0, tokens_out = 0, first_token_ms = 0, duration_ms = 0;
  };
  using Key = std::tuple<std::string, std::string, std::string>;  // day, client, model
  struct Total {
    std::string period;
    std::int64_t tokens = 0, requests = 0;
  };
  struct Totals {
    Total day, month;
  };
  static void add(Total& total, const std::string& period, std::int64_t tokens, std::int64_t requests);
  [[nodiscard]] Result<> write(const std::map<Key, Sums>& sums, const std::string& oldest) const;

  net::Io& io_;
  store::Database& database_;
  const Clock& clock_;
  std::map<Key, Sums> pending_;
  std::map<std::string, Totals, std::less<>> totals_;
};

}  // namespace puna::access
