// A run of training that somebody waits for at the terminal.
#pragma once

#include "cli/context.h"
#include "cli/invocation.h"
#include "wire/tune.h"

namespace puna::cli {

// Shows the run until it is completed, then what came of it (--json: the run itself; --quiet: nothing). A run that failed, was stopped or
// paused is its Error. Ctrl-C leaves it to the daemon: Code::cancelled, saying how to come back.
[[nodiscard]] Result<ExitCode> follow_run(Context& context, const Invocation& invocation, client::Client& daemon, const std::string& name);

// Begins a run and follows it; with --detach it prints the run's name at once.
[[nodiscard]] Result<ExitCode> start_run(Context& context, const Invocation& invocation, client::Client& daemon,
                                         const wire::TuneRequest& request);

}  // namespace puna::cli
