// Child processes: started from argument vectors, given nothing by accident, and never left behind.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "os/descriptor.h"
#include "os/environment.h"

namespace puna::os {

// The child gets exactly what stands here: this environment, standard streams (/dev/null where none is given), `pass_fds`, default
// signal handling, and no core dumps (they would hold secrets). Descriptors given stay open on our side too.
struct SpawnOptions {
  std::vector<std::string> argv;  // argv[0] is the program's path; PATH is not searched, no shell takes part
  Environment environment;
  std::optional<int> stdin_fd;
  std::optional<int> stdout_fd;
  std::optional<int> stderr_fd;
  std::vector<std::pair<int, int>> pass_fds;  // our descriptor, the child's number (3 or more)
  std::optional<Bytes> address_space_limit;
  std::optional<Bytes> data_limit;  // of memory that is not a file's
  bool new_session = false;
  bool die_with_parent = true;              // killed when the thread that spawned it ends: spawn from one that lives long enough
  std::filesystem::path working_directory;  // empty: ours
};

struct ExitStatus {
  std::optional<int> code;    // exited by itself
  std::optional<int> signal;  // ended by a signal
  [[nodiscard]] bool ok() const { return code == 0; }
  // "exit code 3", "signal 9 (KILL)"
  [[nodiscard]] std::string text() const;
};

// Owns one child: the destructor kills and reaps it. One thread at a time.
class Process {
 public:
  // Fails when the program cannot be executed: Code::not_found, Code::permission_denied, naming it.
  [[nodiscard]] static Result<Process> spawn(const SpawnOptions& options);
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();

  [[nodiscard]] pid_t pid() const { return pid_; }
  // Becomes readable when the child has ended; for poll and asio. Stays ours.
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  // Code::conflict when the child has ended already; never reaches another process that got the same number.
  [[nodiscard]] Result<> send_signal(int signal);
  // Code::deadline_exceeded when the child still runs after `deadline`.
  [[nodiscard]] Result<ExitStatus> wait(std::chrono::milliseconds deadline);
  [[nodiscard]] std::optional<ExitStatus> try_wait();
  // Lets the child live on by itself (with die_with_parent = false, even beyond us).
  void detach() &&;

 private:
  Process(pid_t pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  void notice_end();
  void kill_and_reap();

  pid_t pid_ = -1;
  UniqueFd pidfd_;
  std::optional<ExitStatus> status_;
};

// The path of the executable that runs now.
[[nodiscard]] Result<std::filesystem::path> own_program();

// The name of a running program ("puna"), empty when there is no such process.
[[nodiscard]] std::string process_name(pid_t pid);

}  // namespace puna::os
