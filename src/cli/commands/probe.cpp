#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/following.h"
#include "cli/invocation.h"
#include "cli/probe_text.h"
#include "cli/screen/width.h"
#include "cli/text.h"

namespace puna::cli {
namespace {

constexpr std::array kArguments = {ArgumentSpec{.name = "MODEL", .help = "the model to try", .completes = Completes::models}};
constexpr std::array kOptions = {OptionSpec{.name = "quiet", .letter = 'q', .help = "show no progress"}};
constexpr std::array kExamples = {Example{"puna probe smollm2", "whether it loads, and what its template can do"},
                                  Example{"puna probe smollm2 --json | jq .probe.tool_calls", "one finding for a script"}};

Result<ExitCode> probe(Context& context, const Invocation& invocation) {
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  const bool quiet = invocation.has("quiet") || invocation.has("json");
  PUNA_TRY(auto job, daemon->probe_model(invocation.argument("MODEL")));
  PUNA_TRY(job, follow_job(context, *daemon, job, quiet ? Narration::quiet : Narration::full));
  PUNA_TRY(const auto model, json::decode<wire::Model>(job.result.value_or(nullptr), json::Unknown::ignore));
  const auto findings = model.probe.value_or(wire::ModelProbe());
  constexpr std::size_t kNames = 10;
  if (invocation.has("json"))
    context.print_json(model);
  else
    for (const auto& [name, text] : findings_of(findings)) context.console().out.line(pad_right(name, kNames) + printable(text));
  return something_fails(findings) ? ExitCode::failure : ExitCode::ok;
}

}  // namespace

constinit const CommandSpec kProbe{
    .name = "probe",
    .group = Group::models,
    .summary = "try what a model can do",
    .description =
        "Loads the model in a process of its own, computes a token and a vector, and tries its chat template: whether conversations, "
        "system "
        "messages and tools get into the prompt, whether a tool call as the template writes it is read back as the same call, and whether "
        "thoughts are told from the answer.\n\nNew models of the library are tried by themselves, in the background (setting "
        "models.probe); models of other programs only by this command. What came out stands in `puna list` and `puna show`, and decides "
        "whether tools and thinking are offered. The trial waits while models answer. Exit code 1 says that something fails.",
    .arguments = kArguments,
    .options = kOptions,
    .examples = kExamples,
    .prints_data = true,
    .run = probe,
};

}  // namespace puna::cli
