#include <array>

#include "base/text.h"
#include "base/units.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"
#include "cli/probe_text.h"
#include "cli/screen/table.h"
#include "cli/screen/time_text.h"
#include "cli/text.h"

namespace puna::cli {
namespace {

constexpr std::array kArguments = {ArgumentSpec{
    .name = "NAME", .help = "show only models whose name begins like this", .occurs = Occurs::optional, .completes = Completes::models}};
constexpr std::array kExamples = {Example{"puna list", "show every model"},
                                  Example{"puna list --json | jq -r '.models[].name'", "names for a script"}};

std::string note_of(const wire::Model& model) {
  if (model.alias_of) return "alias of " + *model.alias_of;
  return model.pinned ? "pinned" : "";
}

// Columns in which every row would be the same are left out.
void print_table(Context& context, const wire::ModelList& library) {
  const bool stores = std::ranges::any_of(library.models, [](const auto& model) { return model.store != "puna"; });
  const bool notes = std::ranges::any_of(library.models, [](const auto& model) { return !note_of(model).empty(); });
  const bool probes = std::ranges::any_of(library.models, [](const auto& model) { return model.probe.has_value(); });
  std::vector<Column> columns = {{.title = "NAME", .gives_way = true}, {"ID"}, {"SIZE"}, {"MODIFIED"}};
  if (probes) columns.push_back({"TRIED"});
  if (stores) columns.push_back({"STORE"});
  if (notes) columns.push_back({"NOTE"});
  Table table(std::move(columns));
  for (const auto& model : library.models) {
    std::vector<std::string> cells = {model.name, model.sha256.empty() ? "-" : short_id(model.sha256), size_text(model.size),
                                      time_ago(model.modified_at, context.now())};
    if (probes) cells.push_back(model.probe ? badges_of(*model.probe) : "-");
    if (stores) cells.push_back(model.store);
    if (notes) cells.push_back(note_of(model));
    table.add(std::move(cells));
  }
  table.print(context.console().out);
}

Result<ExitCode> list(Context& context, const Invocation& invocation) {
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(auto library, daemon->models());
  const std::string beginning = lower_ascii(invocation.argument("NAME"));
  std::erase_if(library.models, [&](const wire::Model& model) { return !lower_ascii(model.name).starts_with(beginning); });
  if (invocation.has("json")) {
    context.print_json(library);
    return ExitCode::ok;
  }
  print_table(context, library);
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
    .description =
        "Shows the models in the library: name, the beginning of the file's SHA-256, size, and when it came.\n\nModels that other "
        "programs keep are listed, too, where there are any (settings models.stores and models.folders), with the store that has them: "
        "huggingface, ollama, lmstudio, llama.cpp or folder. They are used in place, without a copy, and never changed. Where several "
        "models are called alike, the library's own has the name, then the store that stands first in that list; the others are called "
        "NAME:TAG-STORE.\n\nTRIED says what worked when the model was tried in the background (`puna probe`): !tools means that tools do "
        "not work, ?loads that its weights have not been loaded yet.",
    .arguments = kArguments,
    .examples = kExamples,
    .prints_data = true,
    .run = list,
};

}  // namespace puna::cli
