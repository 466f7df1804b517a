#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/following.h"
#include "cli/invocation.h"

namespace puna::cli {
namespace {

constexpr std::array kArguments = {
    ArgumentSpec{.name = "SOURCE", .help = "a model of the library", .completes = Completes::models},
    ArgumentSpec{.name = "DESTINATION", .help = "its further name"},
};
constexpr std::array kExamples = {Example{"puna cp smollm2 my-assistant", "a second model of the same files"},
                                  Example{"puna cp llama3.2:3b mine", "take a model of Ollama into the library"}};

Result<ExitCode> copy(Context& context, const Invocation& invocation) {
  const std::string source = invocation.argument("SOURCE");
  const std::string destination = invocation.argument("DESTINATION");
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(const auto detail, daemon->model(source));
  if (detail.model.store == "puna") {
    PUNA_CHECK(daemon->copy_model(source, destination));
  } else {
    PUNA_TRY(const auto job, daemon->adopt_model(source, destination));
    PUNA_CHECK(follow_job(context, *daemon, job, Narration::full));
  }
  context.console().err.line(printable(fmt::format("copied '{}' to '{}'", source, destination)));
  return ExitCode::ok;
}

}  // namespace

constinit const CommandSpec kCopy{
    .name = "cp",
    .group = Group::models,
    .summary = "copy a model under another name",
    .description =
        "Makes a second model of the same files, so it takes no space. From then on the two go their own ways: pulling one anew leaves the "
        "other as it is. (A name that follows a model is an alias: `puna alias`.)\n\nA model of another program is taken into the library: "
        "every byte is read and checked, and the file is shared with its owner where the file system can do that. It stays when the owner "
        "removes its own.",
    .arguments = kArguments,
    .examples = kExamples,
    .run = copy,
};

}  // namespace puna::cli
