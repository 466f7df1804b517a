// The composition root: one binary, several programs.
#include <string_view>
#include <vector>

#include "adapter/work.h"
#include "cli/cli.h"
#include "daemon/serve.h"
#include "trainer/trainer.h"
#include "worker/devices.h"
#include "worker/worker.h"

namespace {

puna::Result<> serve(const puna::cli::ServeRequest& request) {
  return puna::daemon::serve({.flags = request.flags,
                              .on_demand = request.on_demand,
                              .ready_descriptor = request.ready_descriptor,
                              .log_to_stderr = !request.on_demand});
}

}  // namespace

int main(int argc, char** argv) {
  // Before anything else: children have their own arguments, and nothing of the command line's set-up.
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  if (!words.empty() && words.front() == "worker") return puna::worker::run(std::span(words).subspan(1));
  if (!words.empty() && words.front() == "adapter") return puna::adapter::run(std::span(words).subspan(1));
  if (!words.empty() && words.front() == "trainer") return puna::trainer::run(std::span(words).subspan(1));
  return puna::cli::run(argc, argv, {.serve = serve, .compute = puna::worker::probe_compute});
}
