// A job that somebody waits for at the terminal.
#pragma once

#include <functional>

#include "base/error.h"
#include "base/json.h"
#include "cli/context.h"
#include "cli/invocation.h"
#include "cli/screen/progress.h"
#include "wire/job.h"

namespace puna::cli {

// Shows a job's progress until it is completed; a job that failed or was cancelled is its Error. Ctrl-C leaves the job to the daemon
// (Code::cancelled, saying how to end it).
[[nodiscard]] Result<wire::Job> follow_job(Context& context, client::Client& daemon, const wire::Job& job, Narration narration);

// The end of a command that has asked for a job. With --detach it prints the job's ID at once; else it follows the job and gives its result
// to `tell`, unless --quiet. --json prints the job instead.
[[nodiscard]] Result<ExitCode> follow_as_asked(Context& context, const Invocation& invocation, client::Client& daemon, wire::Job job,
                                               const std::function<Result<>(const json::value& result)>& tell);

}  // namespace puna::cli
