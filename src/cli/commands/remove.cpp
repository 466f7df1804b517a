#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"
#include "cli/text.h"

namespace puna::cli {
namespace {

constexpr std::array kArguments = {
    ArgumentSpec{.name = "MODEL", .help = "the models to remove", .occurs = Occurs::some, .completes = Completes::models}};
constexpr std::array kExamples = {Example{"puna rm smollm2", "remove a model"}, Example{"puna rm a b", "remove two"}};

std::string told(const wire::ModelRemoval& removal) {
  if (removal.remaining_names.empty()) return fmt::format("removed '{}' ({} freed)", removal.name, size_text(removal.freed_bytes));
  return fmt::format("removed '{}' (its file stays for {})", removal.name, join(removal.remaining_names, ", "));
}

// Goes on behind a failure; the first one is the command's.
Result<ExitCode> remove(Context& context, const Invocation& invocation) {
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  std::optional<Error> first;
  for (const auto& name : invocation.rest()) {
    auto removal = daemon->remove_model(name);
    if (removal) {
      context.console().err.line(printable(told(*removal)));
    } else if (!first) {
      first = std::move(removal).error();
    } else {
      context.console().complain(removal.error());
    }
  }
  if (first) return fail(std::move(*first));
  return ExitCode::ok;
}

}  // namespace

constinit const CommandSpec kRemove{
    .name = "rm",
    .group = Group::models,
    .summary = "remove models from the library",
    .description =
        "Removes names from the library, and the file too when it has no other name. A model that is in memory is unloaded "
        "first.",
    .arguments = kArguments,
    .examples = kExamples,
    .run = remove,
};

}  // namespace puna::cli
