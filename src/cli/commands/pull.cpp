#include <array>

#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"
#include "cli/pulling.h"

namespace puna::cli {
namespace {

constexpr std::array kArguments = {
    ArgumentSpec{.name = "SOURCE", .help = "a GGUF file on this machine, or an http(s) URL of one", .completes = Completes::files}};
constexpr std::array kOptions = {
    OptionSpec{.name = "name", .value = "NAME", .help = "what the model is called in the library; else made from the file's name"},
    OptionSpec{.name = "sha256", .value = "HEX", .help = "refuse any other content"},
    OptionSpec{.name = "detach", .letter = 'd', .help = "return at once; the daemon goes on, see `puna job list`"},
    OptionSpec{.name = "quiet", .letter = 'q', .help = "show no progress"},
};
constexpr std::array kExamples = {
    Example{"puna pull ./SmolLM2-135M-Instruct-Q4_1.gguf --name smollm2:135m", "take a file into the library"},
    Example{"puna pull https://example.com/model.gguf --sha256 $HASH", "download a model and check it"}};

Result<ExitCode> pull(Context& context, const Invocation& invocation) {
  const bool quiet = invocation.has("quiet") || invocation.has("json");
  const PullOrder order{.source = invocation.argument("SOURCE"),
                        .name = invocation.text("name"),
                        .sha256 = invocation.text("sha256"),
                        .narration = quiet ? Narration::quiet : Narration::full};
  PUNA_TRY(const auto interrupt, Interrupt::install());
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed, interrupt->token()));
  PUNA_TRY(auto job, submit_pull(context, *daemon, order));
  if (!invocation.has("detach")) {
    PUNA_TRY(job, finish_pull(context, *daemon, *interrupt, job, order));
  }
  if (invocation.has("json"))
    context.print_json(job);
  else if (invocation.has("detach"))
    context.console().out.line(job.id);
  return ExitCode::ok;
}

}  // namespace

constinit const CommandSpec kPull{
    .name = "pull",
    .group = Group::models,
    .summary = "bring a model into the library",
    .description =
        "Brings a model into the library, from a file of this machine or from an http(s) URL. The content is checked: it must be "
        "a whole GGUF file, and have the SHA-256 that was asked for.\n\nThe daemon does the work. Ctrl-C pauses it; the same "
        "command again goes on where it stopped, even after a restart. A file on the same file system is shared, not copied, "
        "where the file system can do that.",
    .arguments = kArguments,
    .options = kOptions,
    .examples = kExamples,
    .prints_data = true,
    .run = pull,
};

}  // namespace puna::cli
