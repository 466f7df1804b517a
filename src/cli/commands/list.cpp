#include <array>

#include "base/text.h"
#include "base/units.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"
#include "cli/screen/table.h"
#include "cli/screen/time_text.h"
#include "cli/text.h"

namespace puna::cli {
namespace {

constexpr std::array kArguments = {ArgumentSpec{
    .name = "NAME", .help = "show only models whose name begins like this", .occurs = Occurs::optional, .completes = Completes::models}};
constexpr std::array kExamples = {Example{"puna list", "show every model"},
                                  Example{"puna list --json | jq -r '.models[].name'", "names for a script"}};

Result<ExitCode> list(Context& context, const Invocation& invocation) {
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(auto library, daemon->models());
  const std::string beginning = lower_ascii(invocation.argument("NAME"));
  std::erase_if(library.models, [&](const wire::Model& model) { return !lower_ascii(model.name).starts_with(beginning); });
  if (invocation.has("json")) {
    context.print_json(library);
    return ExitCode::ok;
  }
  Table table({{.title = "NAME", .gives_way = true}, {"ID"}, {"SIZE"}, {"MODIFIED"}});
  for (const auto& model : library.models)
    table.add({model.name, short_id(model.sha256), size_text(model.size), time_ago(model.modified_at, context.now())});
  table.print(context.console().out);
  for (const auto& model : library.models)
    if (model.problem) context.console().warn(fmt::format("{}: {}", model.name, *model.problem));
  return ExitCode::ok;
}

}  // namespace

constinit const CommandSpec kList{
    .name = "list",
    .alias = "ls",
    .group = Group::models,
    .summary = "show the models in the library",
    .description = "Shows the models in the library: name, the beginning of the file's SHA-256, size, and when it came.",
    .arguments = kArguments,
    .examples = kExamples,
    .prints_data = true,
    .run = list,
};

}  // namespace puna::cli
