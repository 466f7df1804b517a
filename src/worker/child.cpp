#include "worker/child.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "os/descriptor.h"
#include "worker/engine_log.h"
#include "worker/last_words.h"

namespace puna::worker {

void behave_as_child(std::optional<int> status_descriptor) {
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) write_log_line("cannot switch core dumps off");
  ::setenv("GGML_NO_BACKTRACE", "1", 1);
  leave_last_words(status_descriptor);
  const os::UniqueFd file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (file && !os::write_all(file.get(), "500")) write_log_line("cannot set oom_score_adj");
}

}  // namespace puna::worker
