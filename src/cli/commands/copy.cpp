#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"

namespace puna::cli {
namespace {

constexpr std::array kArguments = {
    ArgumentSpec{.name = "SOURCE", .help = "a model of the library", .completes = Completes::models},
    ArgumentSpec{.name = "DESTINATION", .help = "its further name"},
};
constexpr std::array kExamples = {Example{"puna cp smollm2 my-assistant", "give a model a second name"}};

Result<ExitCode> copy(Context& context, const Invocation& invocation) {
  const std::string source = invocation.argument("SOURCE");
  const std::string destination = invocation.argument("DESTINATION");
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_CHECK(daemon->copy_model(source, destination));
  context.console().err.line(printable(fmt::format("copied '{}' to '{}'", source, destination)));
  return ExitCode::ok;
}

}  // namespace

constinit const CommandSpec kCopy{
    .name = "cp",
    .group = Group::models,
    .summary = "give a model a further name",
    .description = "Gives a model of the library a further name. Both names share one file, so it takes no space.",
    .arguments = kArguments,
    .examples = kExamples,
    .run = copy,
};

}  // namespace puna::cli
