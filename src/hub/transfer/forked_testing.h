// For tests: a child process that runs part of a test, to be killed or to live where the test cannot.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>

#include "os/descriptor.h"

namespace puna::hub::transfer::testing_rig {

// Create it before anything that starts threads. The child gets the line it is given and tells lines of its own.
class ForkedChild {
 public:
  using Tell = std::function<void(std::string_view line)>;
  explicit ForkedChild(const std::function<void(const std::string& given, const Tell& tell)>& body);
  ~ForkedChild() { kill(); }
  ForkedChild(const ForkedChild&) = delete;
  ForkedChild& operator=(const ForkedChild&) = delete;

  void give(std::string_view line);
  // The child's next line; empty when it has ended, or said nothing for 20 s.
  [[nodiscard]] std::string told();
  void kill();

 private:
  os::Pipe to_child_;
  os::Pipe from_child_;
  pid_t pid_ = -1;
};

}  // namespace puna::hub::transfer::testing_rig
