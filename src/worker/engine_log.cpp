#include "worker/engine_log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/text.h"
#include "ggml-backend.h"
#include "llama.h"
#include "log.h"
#include "os/descriptor.h"

namespace puna::worker {
namespace {

constexpr std::size_t kErrorsKept = 16;
constexpr std::size_t kLongestLine = 4096;

void receive(ggml_log_level level, const char* text, void* log) {
  using enum EngineLog::Severity;
  constexpr std::array kSeverities = {info, detail, info, warning, error, continuation};
  static_assert(GGML_LOG_LEVEL_DEBUG == 1 && GGML_LOG_LEVEL_WARN == 3 && GGML_LOG_LEVEL_CONT == 5);
  const auto index = std::min(static_cast<std::size_t>(level), kSeverities.size() - 1);
  static_cast<EngineLog*>(log)->add(kSeverities[index], text);
}

struct Clue {
  std::string_view words;
  wire::WorkerFault fault;
};
// Tried in this order on each line.
constexpr std::array kClues = {
    Clue{"unknown model architecture", wire::WorkerFault::model_unsupported},
    Clue{"unknown pre-tokenizer type", wire::WorkerFault::model_unsupported},
    Clue{"unsupported model architecture", wire::WorkerFault::model_unsupported},
    Clue{"CLIP cannot be used as main model", wire::WorkerFault::model_unsupported},
    Clue{"out of memory", wire::WorkerFault::out_of_memory},
    Clue{"failed to allocate", wire::WorkerFault::out_of_memory},
    Clue{"unable to allocate", wire::WorkerFault::out_of_memory},
    Clue{"Cannot allocate memory", wire::WorkerFault::out_of_memory},
    Clue{"bad_alloc", wire::WorkerFault::out_of_memory},
    Clue{"alloc_tensor_range: failed", wire::WorkerFault::out_of_memory},
};

}  // namespace

void write_log_line(std::string_view text) {
  const std::string line = std::string(text) + "\n";
  if (!os::write_all(STDERR_FILENO, line)) return;  // a log that cannot be written: there is nobody to tell
}

void EngineLog::install() {
  llama_log_set(receive, this);
  // The server code's messages while a model loads: warnings and errors, such as a chat template that does not parse.
  common_log_set_verbosity_thold(LOG_LEVEL_WARN);
  common_log_set_prefix(common_log_main(), false);
  common_log_set_timestamps(common_log_main(), false);
}

void EngineLog::serve() {
  common_log_pause(common_log_main());
  // Some of llama.cpp's code prints to the C stream by itself, such as a grammar that does not parse. Our lines, and libc's last words,
  // go to the descriptor.
  if (FILE* nowhere = std::fopen("/dev/null", "we")) stderr = nowhere;
}

void EngineLog::add(Severity severity, std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (severity != Severity::continuation) {
    end_line();
    severity_ = severity;
  }
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = text.find('\n', begin);
    line_ += text.substr(begin, end == std::string_view::npos ? end : end - begin);
    if (end == std::string_view::npos) break;
    end_line();
    begin = end + 1;
  }
}

void EngineLog::end_line() {
  if (line_.empty()) return;
  if (line_.size() > kLongestLine) line_.resize(kLongestLine);
  if (severity_ != Severity::detail) {
    std::string_view prefix;
    if (severity_ == Severity::warning) prefix = "warning: ";
    if (severity_ == Severity::error) prefix = "error: ";
    write_log_line(fmt::format("{}{}", prefix, printable(line_)));
  }
  if (severity_ == Severity::error) {
    if (errors_.size() == kErrorsKept) errors_.erase(errors_.begin());
    errors_.push_back(printable(trim(line_)));
  }
  line_.clear();
}

std::vector<std::string> EngineLog::errors() const {
  const std::lock_guard lock(mutex_);
  return errors_;
}

LoadFailure explain_load_failure(const std::vector<std::string>& errors) {
  if (errors.empty()) return {wire::WorkerFault::model_malformed, "llama.cpp could not load the model and did not say why"};
  // llama.cpp prints the cause first and then one line for each layer that gives up.
  for (const auto& line : errors)
    for (const auto& clue : kClues)
      if (line.find(clue.words) != std::string::npos) return {clue.fault, line};
  return {wire::WorkerFault::model_malformed, errors.front()};
}

}  // namespace puna::worker
