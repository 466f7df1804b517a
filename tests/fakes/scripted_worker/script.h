// What a scripted worker does, one step a line in the "model" file. An empty file, or a real model, means "ready".
//
//   say TEXT            writes a line to stderr
//   progress 0.5        reports that much of the load
//   gate PATH           waits until the test opens the FIFO for writing
//   fail FAULT TEXT     reports a failure (out_of_memory, model_malformed …) and exits with code 1
//   exit N              exits with that code
//   signal N            gets that signal
//   allocate MIB        takes that much memory, or dies as a C++ program does that cannot have it
//   sleep               does nothing for ever
//   ready               listens, reports ready; what follows happens when a request comes, before it is answered
//   deaf                ignores SIGTERM (anywhere before "ready")
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace puna::fakes {

enum class Verb { say, progress, gate, fail, exit, signal, allocate, sleep, ready, deaf };

struct Step {
  Verb verb = Verb::ready;
  std::string argument;  // the rest of the line
};

struct Script {
  std::vector<Step> load;     // ends before "ready"
  std::vector<Step> request;  // after "ready"
  bool becomes_ready = false;
};

[[nodiscard]] Result<Script> parse_script(std::string_view text);

}  // namespace puna::fakes
