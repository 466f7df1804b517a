#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"
#include "cli/screen/table.h"
#include "cli/text.h"

namespace puna::cli {
namespace {

constexpr std::array kArguments = {
    ArgumentSpec{.name = "MODEL", .help = "only these models; else all", .occurs = Occurs::any, .completes = Completes::models}};
constexpr std::array kExamples = {Example{"puna outdated", "what is newer upstream, and what changed"},
                                  Example{"puna outdated --json | jq -r '.models[] | select(.outdated).name'", "names for a script"}};

std::string commits(const wire::OutdatedModel& model) {
  constexpr std::size_t kDigits = 7;
  return fmt::format("{} → {}", model.have.value_or("?").substr(0, kDigits), model.latest.value_or("?").substr(0, kDigits));
}

Result<ExitCode> outdated(Context& context, const Invocation& invocation) {
  PUNA_TRY(const auto interrupt, Interrupt::install());
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed, interrupt->token()));
  PUNA_TRY(const auto list, daemon->outdated(invocation.rest(), interrupt->token()));
  if (invocation.has("json")) {
    context.print_json(list);
    return ExitCode::ok;
  }
  Table table({{.title = "MODEL", .gives_way = true}, {"CHANGED"}, {.title = "TO FETCH", .align = Align::right}, {"COMMIT"}});
  std::size_t current = 0;
  for (const auto& model : list.models) {
    if (model.outdated)
      table.add({model.name, join(model.changed, ", "), model.fetch ? size_text(*model.fetch) : "?", commits(model)});
    else if (!model.problem)
      ++current;
  }
  if (!table.empty()) table.print(context.console().out);
  if (current > 0) context.console().err.line(fmt::format("{} {} up to date", current, current == 1 ? "model is" : "models are"));
  if (list.models.empty()) context.console().err.line("no model in the library has an upstream that can be asked");
  bool failed = false;
  for (const auto& model : list.models) {
    if (!model.problem) continue;
    failed = true;
    context.console().warn(printable(fmt::format("{}: {}", model.name, *model.problem)));
  }
  return failed ? ExitCode::failure : ExitCode::ok;
}

}  // namespace

constinit const CommandSpec kOutdated{
    .name = "outdated",
    .group = Group::models,
    .summary = "show which models are newer upstream",
    .description =
        "Asks the catalogues that models came from whether there is something new, and says what: weights, template, tokenizer, card. "
        "Nothing is "
        "fetched; a model whose repository changed in other files only is up to date.",
    .arguments = kArguments,
    .examples = kExamples,
    .prints_data = true,
    .run = outdated,
};

}  // namespace puna::cli
