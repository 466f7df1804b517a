// A job that somebody waits for at the terminal.
#pragma once

#include "base/error.h"
#include "cli/context.h"
#include "cli/screen/progress.h"
#include "wire/job.h"

namespace puna::cli {

// Shows a job's progress until it is completed; a job that failed or was cancelled is its Error. Ctrl-C leaves the job to the daemon
// (Code::cancelled, saying how to end it).
[[nodiscard]] Result<wire::Job> follow_job(Context& context, client::Client& daemon, const wire::Job& job, Narration narration);

}  // namespace puna::cli
