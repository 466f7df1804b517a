#include "worker/trial/check.h"

#include <sys/resource.h>
#include <unistd.h>

#include <new>

#include "gguf/check.h"
#include "gguf/reader.h"
#include "gguf/summary.h"
#include "os/descriptor.h"
#include "wire/worker.h"
#include "worker/engine_log.h"

namespace puna::worker {
namespace {

// Far more than a header takes; what needs longer is an attack on the reader.
constexpr rlim_t kCpuSeconds = 30;

Result<gguf::Summary> examine(const std::filesystem::path& file) {
  try {
    PUNA_TRY(const auto header, gguf::Header::read_file(file));
    PUNA_CHECK(gguf::check(header));
    return gguf::summarize(header);
  } catch (const std::bad_alloc&) {
    return fail(Code::corrupt_data, "its header asks for more memory than any model needs");
  }
}

}  // namespace

int print_check(const std::filesystem::path& file) {
  const rlimit cpu{kCpuSeconds, kCpuSeconds};
  if (::setrlimit(RLIMIT_CPU, &cpu) != 0) write_log_line("cannot limit CPU time");
  const auto summary = examine(file);
  wire::CheckReport report;
  if (summary)
    report.summary = json::encode(*summary).as_object();
  else
    report.error = wire::to_wire(summary.error()).error;
  if (!os::write_all(STDOUT_FILENO, json::to_text(json::encode(report)) + "\n")) return 1;
  return summary ? 0 : 1;
}

}  // namespace puna::worker
