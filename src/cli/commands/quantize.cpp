#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/following.h"
#include "cli/invocation.h"
#include "cli/screen/table.h"
#include "cli/text.h"
#include "wire/quantize.h"

namespace puna::cli {
namespace {

constexpr std::array kArguments = {
    ArgumentSpec{.name = "MODEL",
                 .help = "the model to start from, best in F16 or BF16",
                 .occurs = Occurs::optional,
                 .completes = Completes::models},
    ArgumentSpec{.name = "LEVEL", .help = "how small: Q8_0, Q4_K_M …; see --levels", .occurs = Occurs::optional}};
constexpr std::array kOptions = {
    OptionSpec{.name = "levels", .help = "list the levels, with the sizes that the model would have where one is named"},
    OptionSpec{.name = "name", .value = "NAME", .help = "what the new model is called; else the model's name with the level in its tag"},
    OptionSpec{.name = "imatrix",
               .value = "FILE",
               .help = "weigh by this importance matrix, as llama.cpp's imatrix writes it",
               .completes = Completes::files},
    OptionSpec{.name = "requantize", .help = "take a model that is quantized already, at a loss"},
    OptionSpec{.name = "dry-run", .letter = 'n', .help = "show what it would come to, and write nothing"},
    OptionSpec{.name = "detach", .letter = 'd', .help = "return at once; the daemon goes on, see `puna job list`"},
    OptionSpec{.name = "quiet", .letter = 'q', .help = "show no progress"},
};
constexpr std::array kExamples = {
    Example{"puna quantize qwen3:4b-f16 q4_k_m", "make it a quarter of the size"},
    Example{"puna quantize qwen3:4b-f16 --levels", "how large it would be at each level"},
    Example{"puna quantize qwen3:4b-f16 iq3_m --imatrix qwen3.imatrix.gguf --dry-run", "see what would come of it"}};

Result<ExitCode> list_levels(Context& context, client::Client& daemon, const Invocation& invocation) {
  PUNA_TRY(const auto list, daemon.quantize_levels(invocation.argument("MODEL")));
  if (invocation.has("json")) {
    context.print_json(list);
    return ExitCode::ok;
  }
  const bool sizes = !list.levels.empty() && list.levels.front().size;
  std::vector<Column> columns = {{"LEVEL"}, {.title = "BITS", .align = Align::right}};
  if (sizes) columns.push_back({.title = "SIZE", .align = Align::right});
  columns.push_back({"IMATRIX"});
  columns.push_back({.title = "ADVICE", .gives_way = true});
  Table table(std::move(columns));
  for (const auto& level : list.levels) {
    std::vector<std::string> cells = {level.name, fmt::format("{:.2f}", level.bits_per_weight)};
    if (sizes) cells.push_back(size_text(level.size.value_or(0)));
    cells.emplace_back(level.needs_imatrix ? "needed" : "");
    cells.push_back(level.advice);
    table.add(std::move(cells));
  }
  table.print(context.console().out);
  return ExitCode::ok;
}

// A path that the daemon, which works elsewhere, can read.
Result<std::optional<std::string>> importance_file(const Context& context, const Invocation& invocation) {
  const auto typed = invocation.text("imatrix");
  if (!typed) return std::nullopt;
  PUNA_TRY(const auto where, context.address());
  if (!where.is_own())
    return fail(Code::unsupported, fmt::format("--imatrix: the daemon at {} cannot read files of this machine", where.text()));
  std::error_code error;
  return std::filesystem::absolute(*typed, error).lexically_normal().string();
}

Result<ExitCode> show_plan(Context& context, client::Client& daemon, const std::string& model, const wire::QuantizeRequest& request,
                           const Invocation& invocation) {
  PUNA_TRY(const auto plan, daemon.plan_quantize(model, request));
  if (invocation.has("json")) {
    context.print_json(plan);
    return ExitCode::ok;
  }
  auto& out = context.console().out;
  out.line(printable(fmt::format("'{}' to {} as '{}': {}", plan.model, plan.level, plan.name, plan.advice)));
  out.line(
      fmt::format("  weights   {} -> {}, with {} free", size_text(plan.source_size), size_text(plan.size), size_text(plan.free_bytes)));
  std::string tensors = fmt::format("  tensors   {}", plan.tensors);
  if (plan.fallbacks > 0) tensors += fmt::format(", of which {} get another type: their rows do not fit the level's", plan.fallbacks);
  out.line(tensors);
  return ExitCode::ok;
}

void tell_completed(Context& context, const wire::QuantizeResult& result) {
  const std::string share = result.source_size > 0 ? fmt::format(", {} % of the original", 100 * result.size / result.source_size) : "";
  context.console().err.line(printable(fmt::format("made '{}' ({}{})", result.name, size_text(result.size), share)));
}

Result<ExitCode> quantize(Context& context, const Invocation& invocation) {
  const auto model = invocation.argument("MODEL");
  wire::QuantizeRequest request{.level = invocation.argument("LEVEL"), .name = invocation.text("name")};
  if (!invocation.has("levels") && request.level.empty())
    return fail(Code::invalid_argument, "MODEL and LEVEL are needed; `puna quantize --levels` lists the levels");
  if (invocation.has("requantize")) request.requantize = true;
  PUNA_TRY(request.imatrix, importance_file(context, invocation));

  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  if (invocation.has("levels")) return list_levels(context, *daemon, invocation);
  if (invocation.has("dry-run")) return show_plan(context, *daemon, model, request, invocation);
  PUNA_TRY(auto job, daemon->quantize(model, request));
  return follow_as_asked(context, invocation, *daemon, std::move(job), [&](const json::value& told) -> Result<> {
    PUNA_TRY(const auto result, json::decode<wire::QuantizeResult>(told, json::Unknown::ignore));
    tell_completed(context, result);
    return {};
  });
}

}  // namespace

constinit const CommandSpec kQuantize{
    .name = "quantize",
    .group = Group::models,
    .summary = "make a smaller model from one of the library",
    .description =
        "Makes a smaller model by storing its weights with fewer bits each, as a job. The model it starts from stays; its other files "
        "(projector, template, licence) go with the new one too. The result is loaded and has to compute before it is added.\n\nQuantizing "
        "what is quantized already loses quality twice over and is refused unless --requantize is given. An importance matrix tells which "
        "weights matter; the smallest levels need one.",
    .arguments = kArguments,
    .options = kOptions,
    .examples = kExamples,
    .prints_data = true,
    .run = quantize,
};

}  // namespace puna::cli
