#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/hub_sheet.h"
#include "cli/invocation.h"
#include "cli/pulling.h"

namespace puna::cli {
namespace {

constexpr std::array kArguments = {
    ArgumentSpec{.name = "SOURCE",
                 .help = "owner/repo[:CHOICE], ollama://NAME, modelscope://owner/repo, a URL, or a GGUF file on this machine",
                 .completes = Completes::files}};
constexpr std::array kOptions = {
    OptionSpec{.name = "name", .value = "NAME", .help = "what the model is called in the library; else made from the file's name"},
    OptionSpec{.name = "filter",
               .letter = 'f',
               .value = "CHOICE",
               .help = "which files: a quantization (Q4_K_M), a file, a pattern ('*q4*') or a regular expression ('/Q[45]_K/')"},
    OptionSpec{.name = "revision", .letter = 'r', .value = "REVISION", .help = "a branch, a tag or a commit"},
    OptionSpec{.name = "sha256", .value = "HEX", .help = "refuse any other content"},
    OptionSpec{.name = "dry-run", .letter = 'n', .help = "show what would come, and whether disk and memory suffice; bring nothing"},
    OptionSpec{.name = "detach", .letter = 'd', .help = "return at once; the daemon goes on, see `puna job list`"},
    OptionSpec{.name = "quiet", .letter = 'q', .help = "show no progress"},
};
constexpr std::array kExamples = {
    Example{"puna pull ggml-org/gemma-3-4b-it-GGUF", "the best quantization for this machine"},
    Example{"puna pull owner/repo:Q4_K_M --dry-run", "which files that is, and whether they fit"},
    Example{"puna pull owner/repo --filter '/iq3_x+s/'", "choose by a regular expression"},
    Example{"puna pull ollama://llama3.2:3b", "a model of Ollama's registry"},
    Example{"puna pull ./SmolLM2-135M-Instruct-Q4_1.gguf --name smollm2:135m", "take a file into the library"},
    Example{"puna pull https://example.com/model.gguf --sha256 $HASH", "download a file and check it"}};

Result<ExitCode> show_plan(Context& context, client::Client& daemon, const PullOrder& order, const Invocation& invocation,
                           const std::stop_token& stop) {
  PUNA_TRY(const auto request, request_of(order, context));
  PUNA_TRY(const auto plan, daemon.plan_pull(request, stop));
  if (invocation.has("json"))
    context.print_json(plan);
  else
    print_plan(context, plan);
  return plan.disk_suffices ? ExitCode::ok : ExitCode::failure;
}

// For eyes: what is about to come, before it comes. The job makes its own plan; one that cannot be shown is no failure.
void announce(Context& context, client::Client& daemon, const PullOrder& order, const std::stop_token& stop) {
  const auto request = request_of(order, context);
  if (!request || !context.console().err.is_terminal() || looks_like_file(order.source)) return;
  const auto plan = daemon.plan_pull(*request, stop);
  if (!plan) return;
  context.console().err.line(printable(plan_line(*plan)));
  for (const auto& warning : plan->warnings) context.console().warn(printable(warning));
}

Result<ExitCode> pull(Context& context, const Invocation& invocation) {
  const bool quiet = invocation.has("quiet") || invocation.has("json");
  const PullOrder order{.source = invocation.argument("SOURCE"),
                        .name = invocation.text("name"),
                        .sha256 = invocation.text("sha256"),
                        .filter = invocation.text("filter"),
                        .revision = invocation.text("revision"),
                        .narration = quiet ? Narration::quiet : Narration::full};
  PUNA_TRY(const auto interrupt, Interrupt::install());
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed, interrupt->token()));
  if (invocation.has("dry-run")) return show_plan(context, *daemon, order, invocation, interrupt->token());
  if (!quiet) announce(context, *daemon, order, interrupt->token());
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
        "Brings a model into the library: from Hugging Face (owner/repo), Ollama's registry, ModelScope, an http(s) URL or a file of this "
        "machine. Without a choice it takes the best quantization that this machine's memory holds; split models come whole, vision models "
        "with "
        "their projector. Every byte is checked against the digest that the catalogue promises.\n\n"
        "The daemon does the work. Ctrl-C ends the watching only: the download goes on, and the same command comes back to it; `puna job "
        "pause` "
        "and `puna job cancel` steer it. A paused or interrupted download goes on where it stopped, even after a restart. A file on the "
        "same file "
        "system is shared, not copied, where the file system can do that.",
    .arguments = kArguments,
    .options = kOptions,
    .examples = kExamples,
    .prints_data = true,
    .run = pull,
};

}  // namespace puna::cli
