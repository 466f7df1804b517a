#include <array>

#include "base/text.h"
#include "cli/context.h"
#include "cli/invocation.h"
#include "cli/screen/question.h"
#include "cli/screen/table.h"
#include "cli/screen/time_text.h"
#include "cli/text.h"
#include "cli/tune/commands.h"
#include "cli/tune/following.h"
#include "cli/tune/request.h"
#include "cli/tune/sheet.h"

namespace puna::cli {
namespace {

constexpr std::array kRunArgument = {ArgumentSpec{.name = "RUN", .help = "a run of `puna tune list`", .completes = Completes::tune_runs}};

Result<ExitCode> list(Context& context, const Invocation& invocation) {
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(const auto list, daemon->tune_runs());
  if (invocation.has("json")) {
    context.print_json(list);
    return ExitCode::ok;
  }
  Table table({{"NAME"}, {"STATE"}, {.title = "MODEL", .gives_way = true}, {"UPDATED"}, {.title = "PROGRESS", .gives_way = true}});
  for (const auto& run : list.runs)
    table.add({run.name, std::string(json::enum_name(run.state)), run.model, time_ago(run.updated_at, context.now()),
               printable(progress_of(run))});
  table.print(context.console().out);
  return ExitCode::ok;
}

void print_run(Context& context, const wire::TuneRun& run) {
  auto& out = context.console().out;
  std::string state(json::enum_name(run.state));
  if (can_be_resumed(run)) state += fmt::format("; `puna tune resume {}` {}", run.name, resumption_of(run));
  out.line(fmt::format("{}  {}", out.paint(Tone::bold, run.name), state));
  const auto fact = [&](std::string_view name, const std::string& text) {
    if (!text.empty()) out.line(fmt::format("  {:<10} {}", name, printable(text)));
  };
  fact("model", run.model);
  fact("data", join(run.request.data, ", "));
  fact("made", time_ago(run.created_at, context.now()));
  fact("folder", run.folder);
  std::vector<std::string> settings;
  for (const auto& entry : json::encode(run.request.settings.value_or(wire::TuneSettings{})).get_object())
    settings.push_back(fmt::format("{}={}", std::string_view(entry.key()), json::to_text(entry.value())));
  fact("settings", join(settings, " "));
  if (!run.result) fact("progress", progress_of(run));
  if (!run.result) return;
  print_result(out, *run.result);
  if (run.result->report) print_report(out, *run.result->report);
}

Result<ExitCode> show(Context& context, const Invocation& invocation) {
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(const auto run, daemon->tune_run(invocation.argument("RUN")));
  if (invocation.has("json"))
    context.print_json(run);
  else
    print_run(context, run);
  return ExitCode::ok;
}

Result<ExitCode> follow(Context& context, const Invocation& invocation) {
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  return follow_run(context, invocation, *daemon, invocation.argument("RUN"));
}

Result<ExitCode> tell(Context& context, const Invocation& invocation, const wire::Job& job, const std::string& done) {
  if (invocation.has("json"))
    context.print_json(job);
  else
    context.console().err.line(printable(done));
  return ExitCode::ok;
}

Result<ExitCode> pause(Context& context, const Invocation& invocation) {
  const auto name = invocation.argument("RUN");
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(const auto job, daemon->pause_tune(name));
  return tell(context, invocation, job, fmt::format("'{0}' pauses, keeping its last whole step; `puna tune resume {0}` goes on", name));
}

Result<ExitCode> stop(Context& context, const Invocation& invocation) {
  const auto name = invocation.argument("RUN");
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(const auto job, daemon->cancel_tune(name));
  return tell(context, invocation, job, fmt::format("'{0}' stops; its checkpoints stay, `puna tune rm {0}` removes them", name));
}

Result<ExitCode> resume(Context& context, const Invocation& invocation) {
  const auto name = invocation.argument("RUN");
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(const auto job, daemon->resume_tune(name));
  if (invocation.has("detach")) return tell(context, invocation, job, fmt::format("'{0}' goes on; `puna tune follow {0}` shows it", name));
  return follow_run(context, invocation, *daemon, name);
}

Result<ExitCode> remove(Context& context, const Invocation& invocation) {
  const auto name = invocation.argument("RUN");
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(const auto run, daemon->tune_run(name));
  if (!invocation.has("yes")) {
    PUNA_TRY(const bool agreed, ask(context.console(), fmt::format("remove the run '{}' with its checkpoints and metrics?", run.name)));
    if (!agreed) return fail(Code::cancelled, "nothing was removed");
  }
  PUNA_TRY(const auto removal, daemon->remove_tune(run.name));
  if (invocation.has("json")) {
    context.print_json(removal);
    return ExitCode::ok;
  }
  std::string said = fmt::format("removed the run '{}', {} are free again", removal.name, size_text(removal.freed_bytes));
  if (run.result) said += fmt::format("; its adapter '{}' stays in the library", run.result->adapter);
  context.console().err.line(printable(said));
  return ExitCode::ok;
}

// The request that a run was made for, with what is given anew.
Result<ExitCode> repeat(Context& context, const Invocation& invocation) {
  PUNA_TRY(const auto changes, typed_tune_settings(invocation));
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(auto run, daemon->tune_run(invocation.argument("RUN")));
  auto settings = json::encode(run.request.settings.value_or(wire::TuneSettings{})).get_object();
  for (const auto& entry : changes) settings[entry.key()] = entry.value();
  PUNA_TRY(run.request.settings, json::decode<wire::TuneSettings>(settings));
  run.request.name = invocation.text("name");
  return start_run(context, invocation, *daemon, run.request);
}

constexpr std::array kFollowOptions = {OptionSpec{.name = "quiet", .letter = 'q', .help = "show nothing until the end"}};
constexpr std::array kResumeOptions = {
    OptionSpec{.name = "detach", .letter = 'd', .help = "return at once; the daemon goes on"},
    OptionSpec{.name = "quiet", .letter = 'q', .help = "show nothing until the end"},
};
constexpr std::array kRemoveOptions = {OptionSpec{.name = "yes", .letter = 'y', .help = "do not ask"}};
constexpr std::array kRepeatOptions = {
    OptionSpec{.name = "name", .value = "NAME", .help = "what the new run is called; else a name is made"},
    OptionSpec{.name = "detach", .letter = 'd', .help = "return at once; the daemon goes on"},
    OptionSpec{.name = "quiet", .letter = 'q', .help = "show nothing until the end"},
};
constexpr std::array kListExamples = {Example{"puna tune list", "which runs there are, newest first"}};
constexpr std::array kShowExamples = {Example{"puna tune show care", "what came of it, base and tuned model side by side"}};
constexpr std::array kFollowExamples = {Example{"puna tune follow care", "watch a run that goes on"}};
constexpr std::array kPauseExamples = {Example{"puna tune pause care", "give the processor back for a while"}};
constexpr std::array kResumeExamples = {Example{"puna tune resume care", "go on from the last checkpoint"}};
constexpr std::array kStopExamples = {Example{"puna tune stop care", "end it before its time"}};
constexpr std::array kRemoveExamples = {Example{"puna tune rm care --yes", "remove a run's folder"}};
constexpr std::array kRepeatExamples = {Example{"puna tune repeat care", "the same once more"},
                                        Example{"puna tune repeat care --rank 32 --name care-32", "the same with a larger adapter"}};

}  // namespace

constinit const CommandSpec kTuneList{.name = "list",
                                      .alias = "ls",
                                      .summary = "show the runs, newest first",
                                      .description = "Shows the runs of training, newest first: those that go on, rest, failed or ended.",
                                      .examples = kListExamples,
                                      .prints_data = true,
                                      .run = list};
constinit const CommandSpec kTuneShow{
    .name = "show",
    .summary = "show a run and what came of it",
    .description = "Shows a run: what was asked for, how far it is, and at its end the scores and answers of base and tuned model.",
    .arguments = kRunArgument,
    .examples = kShowExamples,
    .prints_data = true,
    .run = show};
constinit const CommandSpec kTuneFollow{
    .name = "follow",
    .summary = "watch a run until its end",
    .description = "Shows what a run has told so far, then what it tells, until it ends. Ctrl-C leaves it going.",
    .arguments = kRunArgument,
    .options = kFollowOptions,
    .examples = kFollowExamples,
    .prints_data = true,
    .run = follow};
constinit const CommandSpec kTunePause{.name = "pause",
                                       .summary = "let a run rest",
                                       .description = "Lets a run rest, over restarts of the daemon too, until `puna tune resume`.",
                                       .arguments = kRunArgument,
                                       .examples = kPauseExamples,
                                       .prints_data = true,
                                       .run = pause};
constinit const CommandSpec kTuneResume{
    .name = "resume",
    .summary = "go on with a run that rests, was stopped or failed",
    .description =
        "Goes on from the last checkpoint, with the same result as if the run had never rested. Refused when its base or data changed.",
    .arguments = kRunArgument,
    .options = kResumeOptions,
    .examples = kResumeExamples,
    .prints_data = true,
    .run = resume};
constinit const CommandSpec kTuneStop{.name = "stop",
                                      .summary = "end a run",
                                      .description = "Ends a run within one pass through the model. Its last checkpoint and its log stay.",
                                      .arguments = kRunArgument,
                                      .examples = kStopExamples,
                                      .prints_data = true,
                                      .run = stop};
constinit const CommandSpec kTuneRemove{
    .name = "rm",
    .alias = "remove",
    .summary = "remove a run's folder",
    .description = "Removes a run with its checkpoints, metrics and log. An adapter that came of it stays in the library.",
    .arguments = kRunArgument,
    .options = kRemoveOptions,
    .examples = kRemoveExamples,
    .prints_data = true,
    .run = remove};
constinit const CommandSpec kTuneRepeat{
    .name = "repeat",
    .summary = "train once more as a run did, or with changes",
    .description = "Begins a new run with the request of another one; settings that are given replace those that it had.",
    .arguments = kRunArgument,
    .options = kRepeatOptions,
    .examples = kRepeatExamples,
    .more_options = tune_setting_options,
    .prints_data = true,
    .run = repeat};

}  // namespace puna::cli
