#include "inference/engine.h"

#include <unistd.h>

#include <mutex>

#include "base/text.h"
#include "inference/kernels.h"
#include "llama.h"
#include "log.h"
#include "os/descriptor.h"

namespace puna::inference {
namespace {

// llama.cpp has one receiver of messages for the process, and so it is one here.
class Listener {
 public:
  void hear(ggml_log_level level, std::string_view text) {
    const std::lock_guard lock(mutex_);
    if (level != GGML_LOG_LEVEL_CONT) level_ = level;
    if (level_ != GGML_LOG_LEVEL_ERROR && level_ != GGML_LOG_LEVEL_WARN) return;
    // A log that cannot be written: there is nobody to tell.
    if (!os::write_all(STDERR_FILENO, text)) return;
    if (level_ == GGML_LOG_LEVEL_ERROR && first_.empty()) first_ = printable(trim(text));
  }
  void begin() {
    const std::lock_guard lock(mutex_);
    first_.clear();
  }
  [[nodiscard]] std::string first() const {
    const std::lock_guard lock(mutex_);
    return first_;
  }

 private:
  mutable std::mutex mutex_;
  ggml_log_level level_ = GGML_LOG_LEVEL_NONE;
  std::string first_;  // the cause; what follows are its consequences
};

Listener& listener() {
  static Listener one;
  return one;
}

Result<> start() {
  llama_log_set([](ggml_log_level level, const char* text, void*) { listener().hear(level, text); }, nullptr);
  common_log_set_verbosity_thold(LOG_LEVEL_ERROR);
  PUNA_TRY(const auto kernels, load_kernels());
  llama_backend_init();
  return {};
}

}  // namespace

Result<> start_engine() {
  static const Result<> started = start();
  return started;
}

std::string complaints_of(const std::function<void()>& work) {
  listener().begin();
  work();
  return listener().first();
}

void before_abort(void (*hear)(const char* message)) {
  ggml_set_abort_callback(hear);
}

}  // namespace puna::inference
