// How fast a client may go: a bucket of requests and one of tokens, each refilled over a minute.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/units.h"

namespace puna::access {

struct Rate {  // a minute; 0: no limit
  std::int64_t requests = 0;
  std::int64_t tokens = 0;
};

// Network thread.
class Limits {
 public:
  explicit Limits(const Clock& clock) : clock_(clock) {}

  // Counts a request. Code::overloaded with retry_after when a bucket is empty. Tokens are known at a request's end only: the last
  // request before an empty bucket may overdraw it, and the debt is waited for.
  [[nodiscard]] Result<> take_request(const std::string& client, const Rate& rate);
  void take_tokens(const std::string& client, std::int64_t tokens);

  // OpenAI's x-ratelimit-* header fields, for the limits that there are.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> headers(const std::string& client, const Rate& rate) const;

 private:
  struct Bucket {
    double missing = 0;  // from a full one, at `since`
    MonotonicTime since;
    [[nodiscard]] double missing_at(MonotonicTime now, std::int64_t per_minute) const;
    void take(double amount, MonotonicTime now, std::int64_t per_minute);
  };
  struct Client {
    Bucket requests, tokens;
    Rate rate;
    MonotonicTime latest;
  };
  Client& client(const std::string& id, const Rate& rate);

  const Clock& clock_;
  std::map<std::string, Client> clients_;  // bounded
};

// "250ms", "12s", "1m30s", as OpenAI writes them.
[[nodiscard]] std::string reset_text(Milliseconds time);

}  // namespace puna::access
