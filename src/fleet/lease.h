// The right to send requests to a loaded model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
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

// Whether a request may go to the worker while all of its slots are taken, as the one that gets the next: so a slot does not rest until
// word of its end has come here and the next request has gone there.
enum class Staging { never, allowed };

struct LeaseOptions {
  Purpose purpose = Purpose::generate;
  // How long the model stays loaded after its last request: kForever, or 0 for not at all. Absent: the setting models.keep_alive.
  // The word of the latest request counts.
  std::optional<Milliseconds> keep_alive = {};
  std::string request_id = {};  // for the log and the events
  Client client = {};
  Priority priority = Priority::normal;
  std::optional<Milliseconds> max_wait = {};  // for a slot, the load of the model included; absent: the setting models.max_wait
  Staging staging = Staging::never;           // allowed: the lease may come before its slot
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
  // How the request waited: for its slot, so far when it has none yet, and its place when it came (1: next; absent when it need not wait).
  [[nodiscard]] Milliseconds waited() const;
  [[nodiscard]] std::optional<std::size_t> arrived_at() const { return turn_->arrived_at; }

  // Of a staged request, at its worker before its slot: waits until it has it. Fails when it shall not get one any more: its time is up, or
  // the model is unloaded, or its worker has ended.
  [[nodiscard]] net::Task<Result<>> slot();
  [[nodiscard]] bool has_slot() const { return turn_->waited.has_value(); }
  [[nodiscard]] std::optional<MonotonicTime> slot_at() const;  // when it had it
  // To be told when the engine has begun with it: then a staged request has its slot, and one that could not be staged no longer stands
  // in the way of others.
  void begun();
  // Its worker ended before it had its slot: the request was not touched, and the next worker may have it.
  [[nodiscard]] bool lost() const { return turn_->lost; }
  // The worker's load, which may be long past.
  struct Load {
    MonotonicTime began;
    MonotonicTime ended;
  };
  [[nodiscard]] Load load() const { return load_; }

  // For an answer that has been silent for models.hang_probe: asks the worker's inference queue for a sign of life. A worker that gives
  // none in that time again is killed, and every request it had fails with fault `hung`.
  [[nodiscard]] net::Task<Result<>> probe();

  // For a request that failed with `error` while it talked to the worker: what befell the worker (crashed, killed, out of memory, hung,
  // unloaded), with its last log lines in the fleet's list. Waits shortly for the news; `error` itself when the worker lives.
  [[nodiscard]] net::Task<Error> explain(Error error);

 private:
  friend class Roster;
  // What the fleet tells of a request after its lease was given.
  struct Turn {
    Turn(std::uint64_t id, net::Io& io) : request(id), changed(io.context().get_executor()) {}
    std::uint64_t request;
    MonotonicTime asked;
    std::optional<std::size_t> arrived_at;
    Staging staging = Staging::never;
    std::optional<Milliseconds> waited;  // absent: it has no slot
    std::optional<Error> refused;
    bool lost = false;
    net::Wakeup changed;
  };
  Lease(std::weak_ptr<Roster> roster, Worker& worker, std::shared_ptr<Turn> turn);
  void end();

  std::weak_ptr<Roster> roster_;  // empty once moved from
  std::uint64_t worker_ = 0;
  std::shared_ptr<Turn> turn_;
  Load load_;
  std::string model_;
  std::shared_ptr<const Endpoint> endpoint_;
  std::int64_t context_length_ = 0;
  std::vector<Adapter> adapters_;
};

}  // namespace puna::fleet
