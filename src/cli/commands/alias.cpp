#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"

namespace puna::cli {
namespace {

constexpr std::array kArguments = {
    ArgumentSpec{.name = "MODEL", .help = "a model of the library, or of another program", .completes = Completes::models},
    ArgumentSpec{.name = "ALIAS", .help = "its further name"},
};
constexpr std::array kExamples = {Example{"puna alias bartowski/Qwen2.5-7B-Instruct-GGUF:Q4_K_M qwen", "a short name"}};

Result<ExitCode> alias(Context& context, const Invocation& invocation) {
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(const auto model, daemon->alias_model(invocation.argument("MODEL"), invocation.argument("ALIAS")));
  context.console().err.line(printable(fmt::format("'{}' now means '{}'", model.name, model.alias_of.value_or(""))));
  return ExitCode::ok;
}

}  // namespace

constinit const CommandSpec kAlias{
    .name = "alias",
    .group = Group::models,
    .summary = "give a model a short name",
    .description =
        "Gives a model a further name that follows it: when the model is pulled anew, the alias means the new files. An alias that exists "
        "is "
        "moved to the model; `puna rm` removes it and leaves the model. A copy that stays as it is comes from `puna cp`.",
    .arguments = kArguments,
    .examples = kExamples,
    .run = alias,
};

}  // namespace puna::cli
