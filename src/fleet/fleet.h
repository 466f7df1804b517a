// The loaded models: one worker process each, started on demand, shared by requests, ended when idle.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/event_bus.h"
#include "fleet/launch.h"
#include "fleet/lease.h"
#include "fleet/options.h"
#include "net/http_client.h"
#include "net/io.h"
#include "os/hardware.h"
#include "store/database.h"
#include "wire/model.h"

namespace puna::fleet {

// From a name as a request has it. Fails as the library does: Code::not_found with the nearest names …
using LaunchResolver = std::function<net::Task<Result<Launch>>(std::string name)>;

struct FleetParts {
  net::Io& io;
  net::HttpClient& http;
  EventBus& events;
  std::function<FleetOptions()> options;
  LaunchResolver resolve;
  FleetPlaces places;
  std::function<os::MemoryNow()> memory = [] { return os::probe_memory(); };
  store::Database* database = nullptr;  // where measured memory is remembered; null: nowhere
};

class Roster;

// Where a worker process is.
struct WorkerPlace {
  wire::RunningModel view;
  std::filesystem::path socket;  // of llama.cpp's routes
};

// Everything on the network thread. Publishes "worker.state" at each change of a worker's state and "worker.progress" while one loads,
// both with a wire::RunningModel, "worker.evicted" when an idle one makes room for another, and "request.queued" with a wire::QueuedRequest
// when a request has to wait and when its place changes.
class Fleet {
 public:
  explicit Fleet(FleetParts parts);
  ~Fleet();  // kills the workers that are left; shutdown() first
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  // Waits until the model is loaded and has a slot for this request: see Scheduler for who is loaded and who goes first. Code::overloaded
  // when too many wait already, Code::unavailable after max_wait, both with retry_after; Code::out_of_memory with the sum when the model
  // can never fit. Waiters share one load; one that is cancelled leaves the others alone, and a load that nobody waits
  // for any more goes on, so that the work is not lost on a client that comes back. A model that is being unloaded is waited for and
  // loaded again, and so is one whose name stands for another file now. Fails with the worker's failure (Code::out_of_memory,
  // corrupt_data, unsupported, upstream_failed …); while starts of a model are backed off, at once and with retry_after.
  // Code::unavailable once shutdown() was called.
  [[nodiscard]] net::Task<Result<Lease>> acquire(std::string model, LeaseOptions options = {});

  // Somebody wants a model to be tried again that was given up after its restarts failed.
  void forgive(const std::string& model);

  // Takes no new request for the model's workers, lets the running ones end for at most server.drain, and returns when the processes are
  // gone. Also forgets the model's failures. Code::not_found when it was not loaded.
  [[nodiscard]] net::Task<Result<>> unload(std::string model);

  // Loaded and loading models by name, and those whose last start failed.
  [[nodiscard]] std::vector<wire::RunningModel> list() const;
  [[nodiscard]] std::vector<WorkerPlace> places() const;
  [[nodiscard]] std::size_t running() const;  // processes

  // Refuses new requests, drains, terminates, kills, and returns when no process is left. Code::deadline_exceeded names those that even
  // SIGKILL did not end by then.
  [[nodiscard]] net::Task<Result<>> shutdown(Milliseconds drain);

 private:
  std::shared_ptr<Roster> roster_;  // shared with coroutines that are still ending
};

}  // namespace puna::fleet
