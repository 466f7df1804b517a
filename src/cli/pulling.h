// A model on its way into the library, seen from the terminal.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "cli/context.h"
#include "cli/screen/progress.h"
#include "wire/job.h"
#include "wire/model.h"

namespace puna::cli {

struct PullOrder {
  std::string source;  // as it was typed
  std::optional<std::string> name;
  std::optional<std::string> sha256;
  std::optional<std::string> filter;
  std::optional<std::string> revision;
  Narration narration = Narration::full;
};

// A file's path becomes absolute (the daemon works elsewhere) and must exist; anything else stays as it is.
[[nodiscard]] Result<std::string> resolve_source(std::string_view typed, const Context& context);
// Whether the text means a file of this machine: "./x", "/x", "~/x", "x.gguf".
[[nodiscard]] bool looks_like_file(std::string_view typed);

// Submits the job, or joins the one that already does the same; one that rests is resumed.
[[nodiscard]] Result<wire::Job> submit_pull(Context& context, client::Client& daemon, const PullOrder& order);
// Shows its progress until it is completed. Ctrl-C only ends the watching: the job goes on in the daemon (Code::cancelled, saying how to
// steer it and how to come back). A failed job is its Error.
[[nodiscard]] Result<wire::Job> finish_pull(Context& context, client::Client& daemon, Interrupt& interrupt, const wire::Job& job,
                                            const PullOrder& order);
// What the API is asked for.
[[nodiscard]] Result<wire::PullRequest> request_of(const PullOrder& order, const Context& context);
// The name that the completed job gave the model.
[[nodiscard]] Result<std::string> pulled_name(const wire::Job& job);

}  // namespace puna::cli
