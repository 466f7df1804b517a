// For tests: a fleet of scripted workers (tests/fakes/scripted_worker/script.h).
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/fleet.h"
#include "net/http_client.h"
#include "os/temporary_folder.h"

namespace puna::fleet::testing {

inline constexpr Milliseconds kPatience{20'000};  // after which a test has failed

// The test's thread is the network thread: tasks run while it waits for one of them.
class FleetTest : public ::testing::Test {
 protected:
  explicit FleetTest(std::filesystem::path program = PUNA_SCRIPTED_WORKER);
  ~FleetTest() override;

  // A model of that name whose worker follows the script.
  void script(std::string_view model, std::string_view text) const;
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
  // Begins to acquire; the result appears in the slot.
  [[nodiscard]] net::Spawned acquiring(std::string model, std::optional<Result<Lease>>& slot);
  // Runs until the condition holds; looked at after each event, and now and then.
  void until(const std::function<bool()>& condition);
  void until_state(std::string_view model, wire::WorkerState state);
  [[nodiscard]] Result<net::HttpResponse> chat(const Lease& lease);

  [[nodiscard]] std::optional<wire::RunningModel> find(std::string_view model) const;
  // What events told of a model, in their order.
  [[nodiscard]] std::vector<wire::RunningModel> told(std::string_view type, std::string_view model) const;
  [[nodiscard]] std::vector<wire::WorkerState> told_states(std::string_view model) const;
  [[nodiscard]] std::vector<double> told_progress(std::string_view model) const;

  net::Io io_{4};
  net::HttpClient http_{io_, {}};
  EventBus events_;
  FleetOptions options_;
  std::map<std::string, std::filesystem::path> files_;  // of names that do not stand for the file of that name
  os::TemporaryFolder folder_ = *os::TemporaryFolder::create();
  net::Notifier happened_{io_};
  EventBus::Subscription subscription_ = events_.subscribe([this] { happened_.notify(); });
  std::unique_ptr<Fleet> fleet_;
};

// Whether the process with this number runs no more.
[[nodiscard]] bool is_gone(std::int64_t process);
// Whether it stands still at a SIGSTOP.
[[nodiscard]] bool is_stopped(std::int64_t process);

}  // namespace puna::fleet::testing
