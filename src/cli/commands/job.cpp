#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"
#include "cli/screen/progress.h"
#include "cli/screen/table.h"
#include "cli/screen/time_text.h"

namespace puna::cli {
namespace {

constexpr std::array kJobArgument = {ArgumentSpec{.name = "JOB", .help = "a job's ID, or the end of it", .completes = Completes::jobs}};

// IDs begin with the time, so their ends tell them apart sooner.
Result<std::string> find_job(client::Client& daemon, const std::string& typed) {
  PUNA_TRY(const auto list, daemon.jobs());
  std::vector<std::string> matches;
  const std::string wanted = lower_ascii(typed);
  for (const auto& job : list.jobs)
    if (!typed.empty() && lower_ascii(job.id).ends_with(wanted)) matches.push_back(job.id);
  if (matches.empty()) return fail(Code::not_found, fmt::format("there is no job '{}'; see `puna job list`", printable(typed)));
  if (matches.size() > 1) return fail(Code::invalid_argument, fmt::format("'{}' may be {}", printable(typed), join(matches, " or ")));
  return std::move(matches.front());
}

std::string news(const wire::Job& job) {
  if (job.failure) return job.failure->message;
  return wire::is_terminal(job.state) ? std::string() : progress_text(job.progress);
}

Result<ExitCode> list(Context& context, const Invocation& invocation) {
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(const auto list, daemon->jobs());
  if (invocation.has("json")) {
    context.print_json(list);
    return ExitCode::ok;
  }
  Table table({{"ID"}, {"STATE"}, {.title = "JOB", .gives_way = true}, {"UPDATED"}, {.title = "PROGRESS", .gives_way = true}});
  for (const auto& job : list.jobs)
    table.add({job.id, std::string(json::enum_name(job.state)), job.title, time_ago(job.updated_at, context.now()), news(job)});
  table.print(context.console().out);
  return ExitCode::ok;
}

using Change = Result<wire::Job> (client::Client::*)(std::string_view, std::stop_token);

Result<ExitCode> change(Context& context, const Invocation& invocation, Change change, std::string_view done) {
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(const auto id, find_job(*daemon, invocation.argument("JOB")));
  PUNA_TRY(const auto job, (daemon->*change)(id, {}));
  if (invocation.has("json"))
    context.print_json(job);
  else
    context.console().err.line(printable(fmt::format("{} '{}'", done, job.title)));
  return ExitCode::ok;
}

Result<ExitCode> cancel(Context& context, const Invocation& invocation) {
  return change(context, invocation, &client::Client::cancel_job, "cancelled");
}
Result<ExitCode> pause(Context& context, const Invocation& invocation) {
  return change(context, invocation, &client::Client::pause_job, "paused");
}
Result<ExitCode> resume(Context& context, const Invocation& invocation) {
  return change(context, invocation, &client::Client::resume_job, "resumed");
}

constexpr std::array kListExamples = {Example{"puna job list", "what the daemon is doing and has done"}};
constexpr std::array kCancelExamples = {Example{"puna job cancel 7X2M9K", "give a download up"}};
constexpr std::array kPauseExamples = {Example{"puna job pause 7X2M9K", "let a download rest"}};
constexpr std::array kResumeExamples = {Example{"puna job resume 7X2M9K", "go on where it stopped"}};

constexpr CommandSpec kListJobs{.name = "list",
                                .alias = "ls",
                                .summary = "show the jobs, newest first",
                                .description = "Shows the daemon's jobs, newest first, those that ended too.",
                                .examples = kListExamples,
                                .prints_data = true,
                                .run = list};
constexpr CommandSpec kCancelJob{.name = "cancel",
                                 .summary = "end a job for good",
                                 .description = "Ends a job for good.",
                                 .arguments = kJobArgument,
                                 .examples = kCancelExamples,
                                 .prints_data = true,
                                 .run = cancel};
constexpr CommandSpec kPauseJob{.name = "pause",
                                .summary = "let a job rest",
                                .description = "Lets a job rest until `puna job resume`.",
                                .arguments = kJobArgument,
                                .examples = kPauseExamples,
                                .prints_data = true,
                                .run = pause};
constexpr CommandSpec kResumeJob{.name = "resume",
                                 .summary = "let a paused job go on",
                                 .description = "Lets a paused job go on where it stopped.",
                                 .arguments = kJobArgument,
                                 .examples = kResumeExamples,
                                 .prints_data = true,
                                 .run = resume};
constexpr std::array<const CommandSpec*, 4> kChildren = {&kListJobs, &kCancelJob, &kPauseJob, &kResumeJob};
constexpr std::array kExamples = {Example{"puna job list", "what the daemon is doing and has done"}};

}  // namespace

constinit const CommandSpec kJob{
    .name = "job",
    .group = Group::daemon,
    .summary = "see and steer downloads and other long work",
    .description = "Long work, such as a download, is a job of the daemon: it goes on when the terminal is closed, and after a restart.",
    .examples = kExamples,
    .children = kChildren,
};

}  // namespace puna::cli
