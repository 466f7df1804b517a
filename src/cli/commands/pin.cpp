#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"

namespace puna::cli {
namespace {

constexpr std::array kArguments = {ArgumentSpec{.name = "MODEL", .help = "a model of the library", .completes = Completes::models}};
constexpr std::array kPinExamples = {Example{"puna pin smollm2", "protect a model from removal"}};
constexpr std::array kUnpinExamples = {Example{"puna unpin smollm2", "end that"}};

Result<ExitCode> set_pinned(Context& context, const Invocation& invocation, bool pinned) {
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(const auto model, daemon->pin_model(invocation.argument("MODEL"), pinned));
  context.console().err.line(printable(fmt::format("'{}' is {}", model.name, pinned ? "pinned" : "no longer pinned")));
  return ExitCode::ok;
}
Result<ExitCode> pin(Context& context, const Invocation& invocation) {
  return set_pinned(context, invocation, true);
}
Result<ExitCode> unpin(Context& context, const Invocation& invocation) {
  return set_pinned(context, invocation, false);
}

}  // namespace

constinit const CommandSpec kPin{
    .name = "pin",
    .group = Group::models,
    .summary = "protect a model from removal",
    .description = "Protects a model of the library: `puna rm` refuses to remove it without --force. `puna list` shows which are pinned.",
    .arguments = kArguments,
    .examples = kPinExamples,
    .run = pin,
};

constinit const CommandSpec kUnpin{
    .name = "unpin",
    .group = Group::models,
    .summary = "let a pinned model be removed again",
    .description = "Ends what `puna pin` began.",
    .arguments = kArguments,
    .examples = kUnpinExamples,
    .run = unpin,
};

}  // namespace puna::cli
