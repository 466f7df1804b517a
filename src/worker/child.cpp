#include "worker/child.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "os/descriptor.h"
#include "worker/engine_log.h"
#include "worker/last_words.h"

namespace puna::worker {

namespace {

// Under a limit of memory every byte that a stack might take counts, used or not: 8 MiB for each of some 256 threads would leave nothing.
void take_small_stacks_under_a_limit() {
  rlimit data{};
  if (::getrlimit(RLIMIT_DATA, &data) != 0 || data.rlim_cur == RLIM_INFINITY) return;
  constexpr std::size_t kStack = 1U << 20U;
  pthread_attr_t attributes;
  if (::pthread_attr_init(&attributes) != 0) return;
  if (::pthread_attr_setstacksize(&attributes, kStack) != 0 || ::pthread_setattr_default_np(&attributes) != 0)
    write_log_line("cannot make the stacks of threads smaller");
  ::pthread_attr_destroy(&attributes);
}

}  // namespace

void behave_as_child(std::optional<int> status_descriptor) {
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) write_log_line("cannot switch core dumps off");
  take_small_stacks_under_a_limit();
  ::setenv("GGML_NO_BACKTRACE", "1", 1);
  leave_last_words(status_descriptor);
  const os::UniqueFd file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (file && !os::write_all(file.get(), "500")) write_log_line("cannot set oom_score_adj");
}

}  // namespace puna::worker
