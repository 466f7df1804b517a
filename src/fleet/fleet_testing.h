// For tests: a fleet of scripted workers (tests/fakes/scripted_worker/script.h).
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/fleet.h"
#include "net/http_client.h"
#include "os/temporary_folder.h"

namespace puna::fleet::testing {

inline constexpr Milliseconds kPatience{20'000};  // after which a test has failed

// What a task that runs beside the test comes to.
template <class T>
struct Outcome {
  bool known = false;
  Result<T> result = puna::fail(Code::internal, "still under way");
};

// The test's thread is the network thread: tasks run while it waits for one of them.
class FleetTest : public ::testing::Test {
 protected:
  explicit FleetTest(std::filesystem::path program = PUNA_SCRIPTED_WORKER);
  void TearDown() override;

  // A model of that name whose worker follows the script.
  void script(std::string_view model, std::string_view text) const;
  // Makes it be expected to take so much memory, and a little.
  void size(const std::string& model, Bytes bytes);
  // The step that holds a scripted worker at a new gate, and opening it once a worker has come.
  [[nodiscard]] std::string gate(std::string_view name) const;
  void open_gate(std::string_view name);
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }

  // Within kPatience.
  template <class T>
  Result<T> run(net::Task<Result<T>> task) {
    return net::run_blocking(io_, net::within(kPatience, "the test", std::move(task)));
  }
  [[nodiscard]] Result<Lease> acquire(std::string model, LeaseOptions options = {});
  // Runs beside the test until the returned object goes.
  template <class T>
  [[nodiscard]] net::Spawned begin(net::Task<Result<T>> task, Outcome<T>& outcome) {
    return net::spawn(io_, "test", note(std::move(task), outcome, happened_));
  }
  // Runs until the condition holds; looked at after each event, and now and then.
  void until(const std::function<bool()>& condition);
  void until_state(std::string_view model, wire::WorkerState state);
  [[nodiscard]] Result<net::HttpResponse> chat(const Lease& lease);

  // The fleet's word on a model; one without a name when it is not listed.
  [[nodiscard]] wire::RunningModel look(std::string_view model) const;
  [[nodiscard]] std::int64_t pid_of(std::string_view model) const { return look(model).pid.value_or(0); }
  [[nodiscard]] wire::WorkerFailure failure_of(std::string_view model) const { return look(model).failure.value_or(wire::WorkerFailure()); }
  // What events told of a model, in their order.
  [[nodiscard]] std::vector<wire::RunningModel> told(std::string_view type, std::string_view model) const;
  [[nodiscard]] std::vector<wire::WorkerState> told_states(std::string_view model) const;
  [[nodiscard]] std::vector<double> told_progress(std::string_view model) const;

  net::Io io_{4};
  net::HttpClient http_{io_, {}};
  EventBus events_;
  FleetOptions options_;
  std::map<std::string, std::filesystem::path> files_;  // of names that do not stand for the file of that name
  std::map<std::string, std::filesystem::path> projectors_;
  std::set<std::string> pinned_;
  std::optional<os::MemoryNow> memory_;     // absent: the machine's
  std::map<std::string, Launch> launches_;  // of names that say more than a file
  os::TemporaryFolder folder_ = *os::TemporaryFolder::create();
  net::Notifier happened_{io_};
  EventBus::Subscription subscription_ = events_.subscribe([this] { happened_.notify(); });
  store::Database database_ = store::Database::open(folder() / "puna.db").value();
  std::unique_ptr<Fleet> fleet_;

 private:
  [[nodiscard]] net::Task<Result<Launch>> resolve(std::string name);
  template <class T>
  static net::Task<void> note(net::Task<Result<T>> task, Outcome<T>& outcome, net::Notifier& happened) {
    outcome.result = co_await std::move(task);
    outcome.known = true;
    happened.notify();
  }
};

void send_signal(std::int64_t process, int signal);
// Whether the process with this number runs no more.
[[nodiscard]] bool is_gone(std::int64_t process);
// Whether it stands still at a SIGSTOP.
[[nodiscard]] bool is_stopped(std::int64_t process);

}  // namespace puna::fleet::testing
