#include <array>

#include "base/settings_registry.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"

namespace puna::cli {
namespace {

constexpr std::array kArguments = {ArgumentSpec{.name = "KIND", .help = "models, profiles, running, jobs, tune-runs, settings"}};
constexpr std::array kExamples = {Example{"puna __names models", "what the shell offers behind `puna show`"}};

Result<ExitCode> names(Context& context, const Invocation& invocation) {
  const std::string kind = invocation.argument("KIND");
  auto& out = context.console().out;
  if (kind == "settings") {
    for (const auto* spec : setting::all()) out.line(spec->key);
    return ExitCode::ok;
  }
  PUNA_TRY(const bool runs, context.daemon_runs());
  if (!runs) return ExitCode::ok;  // pressing Tab starts nothing
  PUNA_TRY(auto* daemon, context.daemon(Start::never));
  if (kind == "models") {
    PUNA_TRY(const auto library, daemon->models());
    for (const auto& model : library.models) out.line(model.name);
  } else if (kind == "profiles") {
    PUNA_TRY(const auto list, daemon->profiles());
    for (const auto& profile : list.profiles) out.line(profile.name);
  } else if (kind == "running") {
    PUNA_TRY(const auto running, daemon->running());
    for (const auto& model : running.models) out.line(model.name);
  } else if (kind == "tune-runs") {
    PUNA_TRY(const auto list, daemon->tune_runs());
    for (const auto& run : list.runs) out.line(run.name);
  } else if (kind == "jobs") {
    PUNA_TRY(const auto list, daemon->jobs());
    for (const auto& job : list.jobs)
      if (!wire::is_terminal(job.state)) out.line(job.id);
  }
  return ExitCode::ok;
}

}  // namespace

constinit const CommandSpec kNames{
    .name = "__names",
    .group = Group::hidden,
    .summary = "print names for a shell's completion",
    .description = "Prints the names that stand for a kind of thing, one a line.",
    .arguments = kArguments,
    .examples = kExamples,
    .run = names,
};

}  // namespace puna::cli
