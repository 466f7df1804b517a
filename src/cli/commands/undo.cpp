#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"

namespace puna::cli {
namespace {

constexpr std::array kArguments = {
    ArgumentSpec{.name = "MODEL", .help = "the model that was removed; else the last one", .occurs = Occurs::optional}};
constexpr std::array kExamples = {Example{"puna undo", "bring back what was removed last"}};

Result<ExitCode> undo(Context& context, const Invocation& invocation) {
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  wire::ModelUndo request;
  if (const auto name = invocation.argument("MODEL"); !name.empty()) request.name = name;
  PUNA_TRY(const auto model, daemon->undo_removal(request));
  context.console().err.line(printable(fmt::format("'{}' is back", model.name)));
  return ExitCode::ok;
}

}  // namespace

constinit const CommandSpec kUndo{
    .name = "undo",
    .group = Group::models,
    .summary = "bring a removed model back",
    .description = "Brings a model back that was removed, as long as its bytes are not freed: see `puna df` and the setting models.undo.",
    .arguments = kArguments,
    .examples = kExamples,
    .run = undo,
};

}  // namespace puna::cli
