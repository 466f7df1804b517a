// The right to send requests to a loaded model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/units.h"
#include "fleet/endpoint.h"
#include "fleet/launch.h"
#include "net/io.h"

namespace puna::fleet {

class Roster;
class Worker;

// What the model is loaded for: llama.cpp sets a context up for one of them.
enum class Purpose { generate, embed, rank };
BOOST_DESCRIBE_ENUM(Purpose, generate, embed, rank)

// Who asks, so that several share a model fairly: an API key, else an address or a user.
struct Client {
  std::string id;     // empty: all who have none are one
  double weight = 1;  // its share beside others; above 0
};

// Requests of a higher priority go first; batches run at `low`.
enum class Priority { low, normal, high };

struct LeaseOptions {
  Purpose purpose = Purpose::generate;
  // How long the model stays loaded after its last request: kForever, or 0 for not at all. Absent: the setting models.keep_alive.
  // The word of the latest request counts.
  std::optional<Milliseconds> keep_alive = {};
  std::string request_id = {};  // for the log and the events
  Client client = {};
  Priority priority = Priority::normal;
  std::optional<Milliseconds> max_wait = {};  // for a slot, the load of the model included; absent: the setting models.max_wait
};

// While it lives the model counts as busy and is not unloaded for idleness. Network thread.
class Lease {
 public:
  Lease(Lease&& other) noexcept = default;
  Lease& operator=(Lease&& other) noexcept;
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() { end(); }

  [[nodiscard]] const std::string& model() const { return model_; }  // the full name
  // Where the worker answers: llama.cpp's HTTP routes (/v1/chat/completions, /v1/embeddings, /tokenize …), or another server's.
  [[nodiscard]] const Endpoint& endpoint() const { return *endpoint_; }
  [[nodiscard]] const std::filesystem::path& socket() const { return endpoint_->socket; }
  [[nodiscard]] std::int64_t context_length() const { return context_length_; }     // tokens, for this request alone
  [[nodiscard]] const std::vector<Adapter>& adapters() const { return adapters_; }  // loaded, as the worker numbers them
  // How the request waited: until the lease, and its place when it came (1: next; absent when it need not wait).
  [[nodiscard]] Milliseconds waited() const { return waited_; }
  [[nodiscard]] std::optional<std::size_t> arrived_at() const { return arrived_at_; }

  // For an answer that has been silent for models.hang_probe: asks the worker's inference queue for a sign of life. A worker that gives
  // none in that time again is killed, and every request it had fails with fault `hung`.
  [[nodiscard]] net::Task<Result<>> probe();

  // For a request that failed with `error` while it talked to the worker: what befell the worker (crashed, killed, out of memory, hung,
  // unloaded), with its last log lines in the fleet's list. Waits shortly for the news; `error` itself when the worker lives.
  [[nodiscard]] net::Task<Error> explain(Error error);

 private:
  friend class Roster;
  struct Turn {
    std::uint64_t request = 0;
    Milliseconds waited{0};
    std::optional<std::size_t> arrived_at;
  };
  Lease(std::weak_ptr<Roster> roster, Worker& worker, const Turn& turn);
  void end();

  std::weak_ptr<Roster> roster_;  // empty once moved from
  std::uint64_t worker_ = 0;
  std::uint64_t request_ = 0;
  Milliseconds waited_{0};
  std::optional<std::size_t> arrived_at_;
  std::string model_;
  std::shared_ptr<const Endpoint> endpoint_;
  std::int64_t context_length_ = 0;
  std::vector<Adapter> adapters_;
};

}  // namespace puna::fleet
