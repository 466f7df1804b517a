#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"
#include "cli/tune/commands.h"
#include "cli/tune/following.h"
#include "cli/tune/request.h"
#include "cli/tune/sheet.h"

namespace puna::cli {
namespace {

constexpr std::int64_t kMostPreviewRows = 1'000;

constexpr std::array kArguments = {
    ArgumentSpec{.name = "MODEL", .help = "the base: a model of the library, quantized or not", .completes = Completes::models},
    ArgumentSpec{.name = "DATA",
                 .help = "files to learn from: JSONL, JSON, CSV, TSV or text, also .gz",
                 .occurs = Occurs::some,
                 .completes = Completes::files}};
constexpr std::array kOptions = {
    OptionSpec{.name = "name", .value = "NAME", .help = "what the run and its adapter are called; else a name is made"},
    OptionSpec{.name = "preview", .letter = 'p', .help = "show the first rows as they would be trained, and train nothing"},
    OptionSpec{.name = "rows", .value = "N", .help = "how many rows --preview shows (default: 3)"},
    OptionSpec{.name = "estimate", .letter = 'n', .help = "say what it would take and whether it fits, and train nothing"},
    OptionSpec{.name = "eval",
               .value = "FILE",
               .help = "evaluate with the rows of this file, instead of keeping some of DATA back",
               .completes = Completes::files,
               .repeatable = true},
    OptionSpec{.name = "format", .value = "FORMAT", .help = "read DATA as json, jsonl, csv, tsv or text, whatever its name says"},
    OptionSpec{.name = "documents", .value = "HOW", .help = "documents of a text end at blank-lines, or are the whole-file"},
    OptionSpec{
        .name = "shape", .value = "SHAPE", .help = "what rows are: messages, alpaca, prompt-completion, text … (default: found out)"},
    OptionSpec{.name = "field",
               .value = "NAME=COLUMN",
               .help = "take a field of the shape from this column: completion=reply",
               .repeatable = true},
    OptionSpec{.name = "role", .value = "NAME=ROLE", .help = "a role's name in the file: bot=assistant", .repeatable = true},
    OptionSpec{.name = "rows-in", .value = "MEMBER", .help = "the member of a JSON object that holds the rows"},
    OptionSpec{.name = "detach", .letter = 'd', .help = "return at once; the daemon goes on, see `puna tune follow`"},
    OptionSpec{.name = "quiet", .letter = 'q', .help = "show nothing until the end"},
};
constexpr std::array kExamples = {
    Example{"puna tune smollm2:135m chats.jsonl --preview", "see which tokens would be trained"},
    Example{"puna tune smollm2:135m chats.jsonl --estimate", "see whether it fits, and how long it takes"},
    Example{"puna tune smollm2:135m chats.jsonl --name care", "train, then chat with `puna run smollm2:135m+care`"},
    Example{"puna tune qwen3:0.6b reviews.csv --task summarization --epochs 2 --rank 8 --detach", "other settings, in the background"},
    Example{"puna tune follow care", "come back to it"}};

Result<ExitCode> preview(Context& context, const Invocation& invocation, client::Client& daemon, const wire::TuneRequest& request) {
  constexpr std::int64_t kUsual = 3;
  PUNA_TRY(const auto rows, invocation.number("rows", kUsual, 1, kMostPreviewRows));
  PUNA_TRY(const auto interrupt, Interrupt::install());
  PUNA_TRY(const auto preview, daemon.preview_tune(request, rows, interrupt->token()));
  if (invocation.has("json"))
    context.print_json(preview);
  else
    print_preview(context.console().out, preview);
  return ExitCode::ok;
}

Result<ExitCode> estimate(Context& context, const Invocation& invocation, client::Client& daemon, const wire::TuneRequest& request) {
  PUNA_TRY(const auto interrupt, Interrupt::install());
  if (!invocation.has("quiet")) context.console().err.line("reading the data and trying a step with its longest rows …");
  PUNA_TRY(const auto estimate, daemon.estimate_tune(request, interrupt->token()));
  if (invocation.has("json"))
    context.print_json(estimate);
  else
    print_estimate(context.console().out, estimate);
  return estimate.fits ? ExitCode::ok : ExitCode::failure;
}

Result<ExitCode> tune(Context& context, const Invocation& invocation) {
  PUNA_TRY(const auto request, typed_tune_request(context, invocation));
  if (invocation.has("rows") && !invocation.has("preview")) return fail(Code::invalid_argument, "--rows is for --preview");
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  if (invocation.has("preview")) return preview(context, invocation, *daemon, request);
  if (invocation.has("estimate")) return estimate(context, invocation, *daemon, request);
  return start_run(context, invocation, *daemon, request);
}

constexpr std::array<const CommandSpec*, 11> kChildren = {&kTuneList,   &kTuneShow,   &kTuneFollow, &kTunePause,  &kTuneResume, &kTuneStop,
                                                          &kTuneRemove, &kTuneRepeat, &kTuneMerge,  &kTuneExport, &kTuneImport};

}  // namespace

constinit const CommandSpec kTune{
    .name = "tune",
    .group = Group::models,
    .summary = "teach a model from your own data",
    .description =
        "Trains an adapter (LoRA) over a model of the library, quantized or not, and serves it beside the model as MODEL+NAME. The model "
        "itself is not changed.\n\nThe data is checked first, every row of it. --preview shows exactly what would be trained, --estimate "
        "whether it fits and how long it takes. Training is a job of the daemon: it goes on when the terminal is closed and after a "
        "restart; Ctrl-C only leaves it. docs/tune.md takes you from a file to a tuned model.",
    .arguments = kArguments,
    .options = kOptions,
    .examples = kExamples,
    .more_options = tune_setting_options,
    .children = kChildren,
    .prints_data = true,
    .run = tune,
};

}  // namespace puna::cli
