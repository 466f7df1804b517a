// llama.cpp's own log lines: where they go, and what they say about a failed load.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "wire/model.h"

namespace puna::worker {

// Collects llama.cpp's lines, writes them to stderr at once (a line that explains a crash must not wait in a queue), and remembers the
// last errors. One in a process. Thread-safe.
class EngineLog {
 public:
  // Takes over the logging of ggml, llama and llama.cpp's server code.
  void install();
  // From here on requests are served: the parts of llama.cpp that may quote prompts and answers when they complain are silenced.
  void serve();

  [[nodiscard]] std::vector<std::string> errors() const;

  // A piece of text from llama.cpp, which ends lines as it likes.
  enum class Severity { detail, info, warning, error, continuation };
  void add(Severity severity, std::string_view text);

 private:
  void end_line();

  mutable std::mutex mutex_;
  Severity severity_ = Severity::info;
  std::string line_;
  std::vector<std::string> errors_;
};

// A line of our own, in the same place.
void write_log_line(std::string_view text);

struct LoadFailure {
  wire::WorkerFault fault = wire::WorkerFault::model_malformed;
  std::string message;
};
// What errors printed during a failed load mean; the message quotes the one that tells most.
[[nodiscard]] LoadFailure explain_load_failure(const std::vector<std::string>& errors);

}  // namespace puna::worker
