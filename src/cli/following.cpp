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

}  // namespace puna::cli
