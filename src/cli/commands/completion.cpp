#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/completion.h"
#include "cli/context.h"
#include "cli/invocation.h"

namespace puna::cli {
namespace {

constexpr std::array kArguments = {ArgumentSpec{.name = "SHELL", .help = "bash, zsh or fish", .completes = Completes::shells}};
constexpr std::array kExamples = {Example{"puna completion bash > ~/.local/share/bash-completion/completions/puna", "for bash"},
                                  Example{"puna completion zsh > ~/.zfunc/_puna", "for zsh, with ~/.zfunc in fpath"},
                                  Example{"puna completion fish > ~/.config/fish/completions/puna.fish", "for fish"}};

Result<ExitCode> completion(Context& context, const Invocation& invocation) {
  const std::string shell = invocation.argument("SHELL");
  auto& out = context.console().out;
  if (shell == "bash") {
    out.write(bash_completion());
  } else if (shell == "zsh") {
    out.write(zsh_completion());
  } else if (shell == "fish") {
    out.write(fish_completion());
  } else {
    return fail(Code::invalid_argument, fmt::format("'{}' is not one of bash, zsh, fish", printable(shell)));
  }
  return ExitCode::ok;
}

}  // namespace

constinit const CommandSpec kCompletion{
    .name = "completion",
    .group = Group::more,
    .summary = "print completions for a shell",
    .description = "Prints a script that lets the shell complete commands, options, and the names of models, jobs and settings.",
    .arguments = kArguments,
    .examples = kExamples,
    .run = completion,
};

}  // namespace puna::cli
