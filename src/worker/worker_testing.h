// For tests: a real `puna worker` process, its status lines, and its HTTP.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "os/descriptor.h"
#include "os/process.h"
#include "os/temporary_folder.h"
#include "wire/worker.h"

namespace puna::worker::testing {

inline constexpr std::chrono::seconds kPatience{60};  // after which a test has failed

struct Reply {
  int status = 0;
  std::string body;
};

// An open connection to the worker.
class HttpConnection {
 public:
  explicit HttpConnection(const std::filesystem::path& socket);
  void send(std::string_view method, std::string_view target, std::string_view body, bool keep_alive = false);
  [[nodiscard]] std::string receive();  // something, at least one byte; empty at the end
  [[nodiscard]] Reply receive_whole();  // of a connection that is not kept alive

 private:
  os::UniqueFd descriptor_;
};

class RunningWorker {
 public:
  // Further options, such as {"--slots", "2"}, go after the usual ones.
  RunningWorker(const std::filesystem::path& model, const std::vector<std::string>& options = {}, std::optional<Bytes> memory = {});

  // The status line that is not "loading"; those that came before it have told the progress.
  [[nodiscard]] wire::WorkerStatus outcome();
  [[nodiscard]] const std::vector<double>& progress() const { return progress_; }
  [[nodiscard]] HttpConnection connect() const { return HttpConnection(socket_); }
  [[nodiscard]] Reply post(std::string_view target, std::string_view body) const;
  [[nodiscard]] Reply get(std::string_view target) const;
  [[nodiscard]] const std::filesystem::path& socket() const { return socket_; }
  [[nodiscard]] std::string log() const;
  [[nodiscard]] os::Process& process() { return *process_; }
  void close_input() { input_.reset(); }
  [[nodiscard]] os::ExitStatus wait();

 private:
  [[nodiscard]] std::optional<wire::WorkerStatus> next_status();

  os::TemporaryFolder folder_;
  std::filesystem::path socket_;
  os::UniqueFd input_;
  os::UniqueFd status_;
  std::string pending_;
  std::vector<double> progress_;
  std::unique_ptr<os::Process> process_;
};

}  // namespace puna::worker::testing
