// What becomes of an adapter outside of Puna: `puna tune merge`, `export`, `import`.
#include <array>
#include <filesystem>

#include "base/text.h"
#include "cli/context.h"
#include "cli/following.h"
#include "cli/invocation.h"
#include "cli/text.h"
#include "cli/tune/commands.h"
#include "wire/adapter_work.h"

namespace puna::cli {
namespace {

constexpr OptionSpec kDetach{.name = "detach", .letter = 'd', .help = "return at once; the daemon goes on, see `puna job list`"};
constexpr OptionSpec kQuiet{.name = "quiet", .letter = 'q', .help = "show no progress"};
constexpr ArgumentSpec kAdapted{.name = "MODEL+ADAPTER",
                                .help = "a base and its adapter; the adapter alone is enough where a run made it",
                                .completes = Completes::models};

// A path that the daemon, which works elsewhere, understands.
Result<std::string> folder_for_daemon(const Context& context, const std::string& typed) {
  PUNA_TRY(const auto where, context.address());
  if (!where.is_own()) return fail(Code::unsupported, fmt::format("the daemon at {} cannot reach folders of this machine", where.text()));
  std::error_code error;
  const auto path = std::filesystem::absolute(typed, error).lexically_normal();
  if (error) return fail(errno_error(error.value(), fmt::format("cannot make a whole path of {}", printable(typed))));
  return path.string();
}

// One of the names of a described enum, in any case.
template <json::DescribedEnum Choice>
Result<std::optional<Choice>> choice(const Invocation& invocation, std::string_view option) {
  const auto typed = invocation.text(option);
  if (!typed) return std::nullopt;
  PUNA_TRY(const auto chosen, json::decode<Choice>(json::value(lower_ascii(*typed)), json::Unknown::refuse, fmt::format("--{}", option)));
  return chosen;
}

void tell_merged(Context& context, const wire::MergeResult& result) {
  auto& err = context.console().err;
  err.line(printable(
      fmt::format("made '{}' ({}) of '{}' and {}", result.name, size_text(result.size), result.base, join(result.adapters, ", "))));
  if (result.rounding > 0) err.line(fmt::format("  rounding   {:.2g} of what the adapter changed", result.rounding));
  if (result.tokens > 0)
    err.line(fmt::format("  agreement  the same choice after {:.1f} % of {} tokens; divergence {:.2g} nats, {:.2g} of the adapter's effect",
                         100 * result.same_choice, result.tokens, result.divergence, result.lost));
  if (result.chosen) err.line(printable("note: " + *result.chosen));
  if (result.advice) err.line(printable("note: " + *result.advice));
}

Result<ExitCode> merge(Context& context, const Invocation& invocation) {
  wire::MergeRequest request{.model = invocation.argument("MODEL+ADAPTER"), .name = invocation.text("name")};
  PUNA_TRY(request.type, choice<wire::MergeType>(invocation, "type"));
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(auto job, daemon->merge_adapter(request));
  return follow_as_asked(context, invocation, *daemon, std::move(job), [&](const json::value& told) -> Result<> {
    PUNA_TRY(const auto result, json::decode<wire::MergeResult>(told, json::Unknown::ignore));
    tell_merged(context, result);
    return {};
  });
}

Result<ExitCode> export_adapter(Context& context, const Invocation& invocation) {
  wire::ExportRequest request{.model = invocation.argument("MODEL+ADAPTER"), .base_model = invocation.text("base-model")};
  PUNA_TRY(const auto form, choice<wire::ExportForm>(invocation, "as"));
  request.form = form.value_or(request.form);
  PUNA_TRY(request.folder, folder_for_daemon(context, invocation.argument("FOLDER")));
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(auto job, daemon->export_adapter(request));
  return follow_as_asked(context, invocation, *daemon, std::move(job), [&](const json::value& told) -> Result<> {
    PUNA_TRY(const auto result, json::decode<wire::ExportResult>(told, json::Unknown::ignore));
    context.console().err.line(printable(fmt::format("wrote {} into {}", join(result.files, ", "), result.folder)));
    return {};
  });
}

Result<ExitCode> import_adapter(Context& context, const Invocation& invocation) {
  wire::ImportRequest request{.model = invocation.argument("MODEL"), .name = invocation.text("name")};
  PUNA_TRY(request.folder, folder_for_daemon(context, invocation.argument("FOLDER")));
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(auto job, daemon->import_adapter(request));
  return follow_as_asked(context, invocation, *daemon, std::move(job), [&](const json::value& told) -> Result<> {
    PUNA_TRY(const auto result, json::decode<wire::ImportResult>(told, json::Unknown::ignore));
    context.console().err.line(printable(fmt::format("took in '{}': `puna run {}`", result.name, result.serves)));
    return {};
  });
}

constexpr std::array kMergeArguments = {kAdapted};
constexpr std::array kMergeOptions = {
    OptionSpec{.name = "name", .value = "NAME", .help = "what the new model is called; else the adapter's name with -merged"},
    OptionSpec{.name = "type",
               .value = "TYPE",
               .help = "store what changes as f32, f16, bf16 or q8_0, or as the base has it: same (default: same, or q8_0 where that would "
                       "lose most of the adapter)"},
    kDetach, kQuiet};
constexpr std::array kMergeExamples = {
    Example{"puna tune merge smollm2:135m+care", "one model of both"},
    Example{"puna tune merge care --type f16 --name care:f16", "lose less; `puna quantize` makes it smaller again"}};

constexpr std::array kExportArguments = {
    kAdapted, ArgumentSpec{.name = "FOLDER", .help = "a new folder, or an empty one", .completes = Completes::files}};
constexpr std::array kExportOptions = {
    OptionSpec{.name = "as", .value = "FORM", .help = "peft for transformers (default), ollama with a Modelfile, or gguf"},
    OptionSpec{.name = "base-model", .value = "NAME", .help = "what transformers loads the base from, for peft: owner/repo or a path"},
    kDetach, kQuiet};
constexpr std::array kExportExamples = {
    Example{"puna tune export care care-peft --base-model HuggingFaceTB/SmolLM2-135M-Instruct", "for transformers and PEFT"},
    Example{"puna tune export smollm2:135m+care care-ollama --as ollama", "then: ollama create care -f care-ollama/Modelfile"}};

constexpr std::array kImportArguments = {
    ArgumentSpec{.name = "MODEL", .help = "the base that the adapter was trained for", .completes = Completes::models},
    ArgumentSpec{.name = "FOLDER", .help = "where adapter_config.json and adapter_model.safetensors are", .completes = Completes::files}};
constexpr std::array kImportOptions = {
    OptionSpec{.name = "name", .value = "NAME", .help = "what the adapter is called here; else the folder's name"}, kDetach, kQuiet};
constexpr std::array kImportExamples = {Example{"puna tune import smollm2:135m ./care-peft --name care", "a LoRA that PEFT saved"}};

}  // namespace

constinit const CommandSpec kTuneMerge{
    .name = "merge",
    .group = Group::models,
    .summary = "make one model of a base and its adapters",
    .description =
        "Adds the adapter to the base's weights in 32 bits and stores the result once, in the base's types, or in q8_0 where those would "
        "lose most of what the adapter does. The base and the adapter stay. Says how much rounding took, and how often the merged model "
        "would choose another token.",
    .arguments = kMergeArguments,
    .options = kMergeOptions,
    .examples = kMergeExamples,
    .prints_data = true,
    .run = merge,
};

constinit const CommandSpec kTuneExport{
    .name = "export",
    .group = Group::models,
    .summary = "write an adapter for other programs",
    .description =
        "Writes the adapter into a folder: for transformers and PEFT, for Ollama, or as llama.cpp takes it. To publish it, see "
        "`puna push`: an adapter that was trained here has its model card with it.",
    .arguments = kExportArguments,
    .options = kExportOptions,
    .examples = kExportExamples,
    .prints_data = true,
    .run = export_adapter,
};

constinit const CommandSpec kTuneImport{
    .name = "import",
    .group = Group::models,
    .summary = "take in an adapter that PEFT saved",
    .description = "Reads a LoRA in PEFT's form and adds it to the library, beside the base that it was trained for.",
    .arguments = kImportArguments,
    .options = kImportOptions,
    .examples = kImportExamples,
    .prints_data = true,
    .run = import_adapter,
};

}  // namespace puna::cli
