// One worker process, from the decision to start it until the kernel has taken everything back.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/event_bus.h"
#include "fleet/endpoint.h"
#include "fleet/launch.h"
#include "fleet/lease.h"
#include "fleet/log_file.h"
#include "fleet/memory_return.h"
#include "fleet/options.h"
#include "net/io.h"
#include "os/descriptor.h"
#include "os/process.h"
#include "wire/worker.h"

namespace puna::fleet {

struct WorkerSpec {
  std::uint64_t id = 0;
  Launch launch;
  Purpose purpose = Purpose::generate;
  FleetOptions options;  // as they were when it was started
  FleetPlaces places;
  net::HttpClient* http = nullptr;                    // for engines that do not tell us by themselves how they are
  std::function<void(wire::RunningModel&)> complete;  // adds to a view what others know
};

// Network thread. Changes of state go through one function, which logs and publishes them and calls `changed`.
class Worker {
 public:
  Worker(net::Io& io, EventBus& events, WorkerSpec spec, std::function<void()> changed);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Starts the process and returns when it has ended, its pipes are read, and the state is `stopped` or `failed`. A cancelled run()
  // leaves the process to the destructor, which kills it.
  [[nodiscard]] net::Task<void> run();

  [[nodiscard]] std::uint64_t id() const { return spec_.id; }
  [[nodiscard]] const std::string& model() const { return spec_.launch.name; }
  [[nodiscard]] Purpose purpose() const { return spec_.purpose; }
  [[nodiscard]] const Launch& launch() const { return spec_.launch; }
  [[nodiscard]] wire::WorkerState state() const { return state_; }
  [[nodiscard]] const std::filesystem::path& socket() const { return socket_; }
  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  [[nodiscard]] std::int64_t context_length() const { return context_length_; }
  [[nodiscard]] std::int64_t slots() const { return slots_; }
  [[nodiscard]] std::optional<pid_t> pid() const;  // while the process lives
  [[nodiscard]] const std::optional<std::vector<wire::WorkerMemory>>& memory() const { return memory_; }
  [[nodiscard]] const std::optional<wire::WorkerFailure>& failure() const { return failure_; }
  [[nodiscard]] Lease::Load load() const { return load_; }
  [[nodiscard]] bool answered() const { return answered_; }  // a request came to its end
  [[nodiscard]] wire::RunningModel view() const;

  // The model is loaded: see is_loaded(). Each begin has its end, in whatever state.
  void begin_request();
  void end_request();
  void keep_for(Milliseconds keep_alive);  // after the last request

  // No new requests; the running ones get `drain` to end, then the process is terminated and at last killed.
  void stop(std::string_view cause, Milliseconds drain);
  // Fails with `fault` and kills the process.
  void give_up(wire::WorkerFault fault, const std::string& what);
  void kill();

 private:
  using Descriptor = net::asio::posix::stream_descriptor;
  struct Child {
    os::Process process;
    os::UniqueFd lifeline;  // its end tells the worker that we are gone
    Descriptor status;
    Descriptor output;
    Descriptor exit;
  };

  [[nodiscard]] Result<> start_process();
  [[nodiscard]] net::Task<Result<>> read_status();
  [[nodiscard]] net::Task<Result<>> read_log();
  [[nodiscard]] net::Task<Result<>> wait_for_exit();
  [[nodiscard]] net::Task<Result<>> watch_readiness();
  [[nodiscard]] net::Task<void> run_remote();
  [[nodiscard]] Result<os::SpawnOptions> spawn_options();
  void verify_memory();
  void take_status(const wire::WorkerStatus& status);
  void take_loading(double progress);
  void take_ready(const wire::WorkerStatus& status);
  void log_output(Result<> written);
  void conclude();

  void transition(wire::WorkerState to, std::string_view cause);
  void tell(std::string_view cause);
  void fail_with(wire::WorkerFailure failure);
  void rest();
  void terminate();

  net::Io& io_;
  EventBus& events_;
  WorkerSpec spec_;
  std::function<void()> changed_;

  wire::WorkerState state_ = wire::WorkerState::starting;
  wire::WorkerState told_ = wire::WorkerState::starting;  // what log and events know
  double progress_ = 0;
  std::int64_t context_length_ = 0;
  std::int64_t slots_ = 0;
  std::int64_t active_ = 0;
  std::optional<std::vector<wire::WorkerMemory>> memory_;  // that the engine has allocated
  Lease::Load load_{std::chrono::steady_clock::now(), {}};
  bool answered_ = false;
  bool was_ready_ = false;
  bool exited_ = false;  // the process, before its last words are read
  bool settling_ = false;
  bool log_complained_ = false;
  Milliseconds keep_alive_;
  std::optional<WallTime> expires_;
  std::optional<wire::WorkerFailure> reported_;  // by the worker itself
  std::optional<wire::WorkerFailure> failure_;
  std::uint64_t oom_kills_before_ = 0;
  std::optional<MemoryMark> memory_before_;  // it was told to end
  std::optional<MemoryReturn> returned_;

  std::filesystem::path socket_;
  Endpoint endpoint_;
  net::Notifier moved_;  // the state has changed
  WorkerLog log_;
  std::unique_ptr<Child> child_;  // null until it is started

  net::Watchdog idle_;    // the keep-alive has passed
  net::Watchdog stall_;   // the load makes no progress
  net::Watchdog drain_;   // running requests had their time
  net::Watchdog grace_;   // so had the process after SIGTERM
  net::Watchdog pipes_;   // output is still open though the process has ended
  net::Watchdog settle_;  // ready and busy have stopped alternating
};

}  // namespace puna::fleet
