#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"

namespace puna::cli {
namespace {

constexpr std::array kArguments = {ArgumentSpec{.name = "MODEL", .help = "a model in memory", .completes = Completes::running_models}};
constexpr std::array kExamples = {Example{"puna stop smollm2", "give the model's memory back"}};

Result<ExitCode> stop(Context& context, const Invocation& invocation) {
  const std::string name = invocation.argument("MODEL");
  PUNA_TRY(const bool runs, context.daemon_runs());
  if (!runs) return fail(Code::not_found, fmt::format("model {} is not in memory: no daemon runs", printable(name)));
  PUNA_TRY(auto* daemon, context.daemon(Start::never));
  PUNA_TRY(const auto interrupt, Interrupt::install());
  PUNA_CHECK(daemon->unload(name, interrupt->token()));
  context.console().err.line(printable(fmt::format("stopped '{}'", name)));
  return ExitCode::ok;
}

}  // namespace

constinit const CommandSpec kStop{
    .name = "stop",
    .group = Group::chat,
    .summary = "unload a model from memory",
    .description =
        "Unloads a model from memory. Answers that are being written get time to end (setting server.drain). The daemon itself "
        "is stopped with `puna serve --stop`.",
    .arguments = kArguments,
    .examples = kExamples,
    .run = stop,
};

}  // namespace puna::cli
