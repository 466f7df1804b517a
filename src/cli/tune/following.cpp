#include "cli/tune/following.h"

#include "base/text.h"
#include "cli/text.h"
#include "cli/tune/run_screen.h"
#include "cli/tune/sheet.h"

namespace puna::cli {
namespace {

Error ending_of(const wire::TuneRun& run) {
  const std::string name = printable(run.name);
  const std::string reason = run.failure ? fmt::format(" ({})", run.failure->message) : std::string();
  switch (run.state) {
    case wire::JobState::failed:
      return run.failure ? error_of(*run.failure) : Error{Code::internal, fmt::format("'{}' failed without a reason", name)};
    case wire::JobState::cancelled:
      return {Code::cancelled, fmt::format("'{}' was stopped; `puna tune resume {}` {}", name, name, resumption_of(run))};
    case wire::JobState::paused:
    case wire::JobState::interrupted:
    case wire::JobState::queued:
    case wire::JobState::running:
    case wire::JobState::completed:
      break;
  }
  return {Code::unavailable, fmt::format("'{}' rests{}; `puna tune resume {}` {}", name, reason, name, resumption_of(run))};
}

struct RunOfJob {
  std::string run;
};
BOOST_DESCRIBE_STRUCT(RunOfJob, (), (run))

Result<std::string> run_of(const wire::Job& job) {
  PUNA_TRY(auto request, json::decode<RunOfJob>(job.request, json::Unknown::ignore));
  return std::move(request.run);
}

}  // namespace

Result<ExitCode> follow_run(Context& context, const Invocation& invocation, client::Client& daemon, const std::string& name) {
  const bool as_json = invocation.has("json");
  const bool quiet = as_json || invocation.has("quiet");
  PUNA_TRY(const auto interrupt, Interrupt::install());
  RunScreen screen(context.console().err, quiet ? Narration::quiet : Narration::full);
  const auto run = daemon.follow_tune(name, [&](const wire::TuneEvent& event) { screen.take(event); }, interrupt->token());
  screen.close();
  if (!run && interrupt->requested())
    return fail(Code::cancelled, fmt::format("no longer watching; the training goes on. `puna tune follow {}` comes back to it, `puna tune "
                                             "stop {}` ends it",
                                             name, name));
  if (!run) return fail(run.error());
  if (run->state != wire::JobState::completed) return fail(ending_of(*run));
  if (as_json) {
    context.print_json(*run);
  } else if (!quiet && run->result) {
    print_result(context.console().err, *run->result);
    if (run->result->report) print_report(context.console().out, *run->result->report);
  }
  return ExitCode::ok;
}

Result<ExitCode> start_run(Context& context, const Invocation& invocation, client::Client& daemon, const wire::TuneRequest& request) {
  PUNA_TRY(const auto job, daemon.tune(request));
  PUNA_TRY(const auto name, run_of(job));
  if (!invocation.has("detach")) return follow_run(context, invocation, daemon, name);
  if (invocation.has("json"))
    context.print_json(job);
  else
    context.console().out.line(name);
  return ExitCode::ok;
}

}  // namespace puna::cli
