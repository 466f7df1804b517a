#include "cli/following.h"

#include "cli/text.h"

namespace puna::cli {

Result<wire::Job> follow_job(Context& context, client::Client& daemon, const wire::Job& job, Narration narration) {
  PUNA_TRY(const auto interrupt, Interrupt::install());
  ProgressLine line(context.console().err, narration);
  auto ended = daemon.wait_for_job(job.id, [&](const wire::Job& update) { line.show(update.progress); }, interrupt->token());
  line.clear();
  if (!ended && interrupt->requested())
    return fail(Code::cancelled, fmt::format("no longer waiting; the job goes on, and `puna job cancel {}` ends it", job.id));
  if (!ended) return ended;
  switch (ended->state) {
    case wire::JobState::completed:
      return ended;
    case wire::JobState::failed:
      return fail(failure_of(*ended));
    case wire::JobState::cancelled:
      return fail(Code::cancelled, "the job was cancelled");
    case wire::JobState::paused:
    case wire::JobState::interrupted:
    case wire::JobState::queued:
    case wire::JobState::running:
      break;
  }
  return fail(Code::unavailable, fmt::format("the job rests; `puna job resume {}` goes on", ended->id));
}

Result<ExitCode> follow_as_asked(Context& context, const Invocation& invocation, client::Client& daemon, wire::Job job,
                                 const std::function<Result<>(const json::value& result)>& tell) {
  const bool as_json = invocation.has("json");
  const bool quiet = as_json || invocation.has("quiet");
  const bool detached = invocation.has("detach");
  if (!detached) {
    PUNA_TRY(job, follow_job(context, daemon, job, quiet ? Narration::quiet : Narration::full));
  }
  if (as_json)
    context.print_json(job);
  else if (detached)
    context.console().out.line(job.id);
  else if (!quiet)
    PUNA_CHECK(tell(job.result.value_or(nullptr)));
  return ExitCode::ok;
}

}  // namespace puna::cli
