#include <array>

#include "base/version.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"

namespace puna::cli {
namespace {

constexpr std::array kExamples = {Example{"puna version", "what this program is"}};

Result<ExitCode> show_version(Context& context, const Invocation& invocation) {
  const wire::Version ours{
      .version = std::string(version()), .llama_cpp = std::string(llama_cpp_version()), .compiler = std::string(compiler_version())};
  if (invocation.has("json"))
    context.print_json(ours);
  else
    context.console().out.line(fmt::format("puna {} (llama.cpp {}, {})", ours.version, ours.llama_cpp, ours.compiler));
  return ExitCode::ok;
}

}  // namespace

constinit const CommandSpec kVersion{
    .name = "version",
    .group = Group::more,
    .summary = "show the version of this program",
    .description =
        "Shows the version of this program, of the llama.cpp inside it, and of the compiler that built it. `puna doctor` shows "
        "the running daemon's too.",
    .examples = kExamples,
    .prints_data = true,
    .run = show_version,
};

}  // namespace puna::cli
