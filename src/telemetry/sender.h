// Takes batches of spans to a collector: OTLP over HTTP, in JSON.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"
#include "net/http_client.h"
#include "net/io.h"
#include "net/retry.h"
#include "telemetry/span.h"

namespace puna::telemetry {

struct Collector {
  net::Url url;  // with its path
  std::vector<std::pair<std::string, Secret>> headers;
};

// "http://localhost:4318" means http://localhost:4318/v1/traces, as for OTEL_EXPORTER_OTLP_ENDPOINT. `headers` is like
// "name=value,other=value%20two", values with their escapes. Code::invalid_argument tells no value.
[[nodiscard]] Result<Collector> read_collector(std::string_view endpoint, std::string_view headers);

// How long a batch may take.
struct SendLimits {
  Milliseconds attempt{10'000};
  net::RetryPolicy retry{.attempts = 5, .base = Milliseconds(1'000), .factor = 2, .cap = Milliseconds(16'000)};
};

// Network thread.
class Sender {
 public:
  Sender(net::Io& io, net::HttpClient& http, SendLimits limits) : http_(http), limits_(limits), hurried_(io) {}

  // How many spans of the batch the collector wanted nothing of. Tries again when it is away or asks for that (429, 502, 503, 504; after
  // Retry-After where it says so), as OTLP asks.
  [[nodiscard]] net::Task<Result<std::int64_t>> send(const Collector& collector, std::string body);
  // From now on every batch has one try more, at once.
  void hurry();

 private:
  [[nodiscard]] net::Task<Result<net::HttpResponse>> attempt(const Collector& collector, std::string body);

  net::HttpClient& http_;
  const SendLimits limits_;
  net::Notifier hurried_;
  bool hurry_ = false;
};

}  // namespace puna::telemetry
