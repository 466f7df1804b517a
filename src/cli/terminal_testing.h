// For tests: a child process in a terminal of its own, driven by keys.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>

#include "os/descriptor.h"
#include "os/process.h"

namespace puna::cli {

// What the terminal shows once an editor takes keys in its own modes.
inline constexpr std::string_view kEditorReady = "\033[?2004h";

class ChildInTerminal {
 public:
  // Forks: no other threads may run yet. The child waits until begin(), runs `body` with a descriptor for reports, and exits with what
  // that returns.
  explicit ChildInTerminal(const std::function<int(int report)>& body);
  ~ChildInTerminal();
  ChildInTerminal(const ChildInTerminal&) = delete;
  ChildInTerminal& operator=(const ChildInTerminal&) = delete;

  void begin();
  void type(std::string_view keys);
  void send_signal(int signal);
  // Until the terminal has shown the text; what came up to its end is forgotten then. False after ten seconds.
  [[nodiscard]] bool shows(std::string_view text);
  // The next report, which ends at a zero byte.
  [[nodiscard]] std::string next_report();
  // What came since the last match, for messages.
  [[nodiscard]] std::string shown() const;
  // The exit code, after at most ten seconds; -1 for a child that did not exit by itself.
  [[nodiscard]] int exit_code();

 private:
  bool pump();

  pid_t child_ = -1;
  os::UniqueFd terminal_;
  os::UniqueFd gate_;
  os::UniqueFd report_;
  std::string shown_;
  std::string reported_;
};

}  // namespace puna::cli
