// Who may do what, how much of it, and what was used.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace puna::wire {

// What a key allows. `admin` includes all, `manage` includes `read`, `read` includes `metrics`.
enum class Scope {
  inference,  // use models: every dialect's requests, and its list of models
  metrics,    // the Prometheus page
  read,       // see models, jobs, what runs, events, the machine
  manage,     // pull, make, load and remove models; jobs; searches in hubs
  admin,      // settings, keys, everybody's usage, logs, the end of the daemon
};
BOOST_DESCRIBE_ENUM(Scope, inference, metrics, read, manage, admin)

enum class Priority { low, normal, high };
BOOST_DESCRIBE_ENUM(Priority, low, normal, high)

enum class BudgetPeriod { day, month };  // of UTC
BOOST_DESCRIBE_ENUM(BudgetPeriod, day, month)

struct Budget {
  std::optional<std::int64_t> tokens;    // read and written
  std::optional<std::int64_t> requests;  // that used a model
  std::optional<BudgetPeriod> period;    // default: month
};
BOOST_DESCRIBE_STRUCT(Budget, (), (tokens, requests, period))

struct KeyRequest {
  std::string name;
  std::optional<std::vector<Scope>> scopes;         // default: inference
  std::optional<std::string> expires_in;            // a duration from now, "30d"; default: never
  std::optional<std::vector<std::string>> models;   // that inference may use: names, or "owner/*"; default: all
  std::optional<double> weight;                     // share of a model beside other clients; default: 1
  std::optional<Priority> priority;                 // in a model's queue; default: normal
  std::optional<std::int64_t> requests_per_minute;  // default: the setting access.requests_per_minute; 0: no limit
  std::optional<std::int64_t> tokens_per_minute;    // default: the setting access.tokens_per_minute; 0: no limit
  std::optional<Budget> budget;
};
BOOST_DESCRIBE_STRUCT(KeyRequest, (), (name, scopes, expires_in, models, weight, priority, requests_per_minute, tokens_per_minute, budget))

enum class KeyState { active, expired, revoked };
BOOST_DESCRIBE_ENUM(KeyState, active, expired, revoked)

// What a budget has seen of the current period.
struct Spent {
  std::int64_t tokens = 0;
  std::int64_t requests = 0;
  std::string until;  // RFC 3339: when the next period begins
};
BOOST_DESCRIBE_STRUCT(Spent, (), (tokens, requests, until))

struct ApiKey {
  std::string id;
  std::string name;
  std::string prefix;  // the key's beginning, "puna_8sKx2Q"
  KeyState state = KeyState::active;
  std::vector<Scope> scopes;
  std::optional<std::vector<std::string>> models;
  double weight = 1;
  Priority priority = Priority::normal;
  std::optional<std::int64_t> requests_per_minute;
  std::optional<std::int64_t> tokens_per_minute;
  std::optional<Budget> budget;
  std::optional<Spent> spent;
  std::string created_at;  // RFC 3339, as the others
  std::optional<std::string> expires_at;
  std::optional<std::string> revoked_at;
  std::optional<std::string> last_used_at;
};
BOOST_DESCRIBE_STRUCT(ApiKey, (),
                      (id, name, prefix, state, scopes, models, weight, priority, requests_per_minute, tokens_per_minute, budget, spent,
                       created_at, expires_at, revoked_at, last_used_at))

struct KeyList {
  std::vector<ApiKey> keys;
};
BOOST_DESCRIBE_STRUCT(KeyList, (), (keys))

// The answer to the creation: the only time that the key itself is told.
struct NewKey {
  ApiKey key;
  std::string secret;  // "puna_…"
};
BOOST_DESCRIBE_STRUCT(NewKey, (), (key, secret))

// One day of one client with one model.
struct UsageRow {
  std::string day;     // "2026-01-31", of UTC
  std::string client;  // a key's ID, "local", "addr:192.0.2.7"
  std::string name;    // the key's
  std::string model;
  std::int64_t requests = 0;
  std::int64_t failures = 0;  // of them
  std::int64_t tokens_in = 0;
  std::int64_t tokens_cached = 0;  // of them: were in the KV cache already
  std::int64_t tokens_out = 0;
  std::int64_t first_token_ms = 0;  // waited for first tokens, all requests together
  std::int64_t duration_ms = 0;     // all requests together
};
BOOST_DESCRIBE_STRUCT(UsageRow, (),
                      (day, client, name, model, requests, failures, tokens_in, tokens_cached, tokens_out, first_token_ms, duration_ms))

struct UsageReport {
  std::vector<UsageRow> rows;  // newest day first
};
BOOST_DESCRIBE_STRUCT(UsageReport, (), (rows))

}  // namespace puna::wire
