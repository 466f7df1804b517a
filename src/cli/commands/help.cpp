#include "cli/help.h"

#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"
#include "cli/reference.h"
#include "cli/registry.h"

namespace puna::cli {
namespace {

constexpr std::array kArguments = {ArgumentSpec{
    .name = "COMMAND", .help = "a command; without one, all are listed", .occurs = Occurs::any, .completes = Completes::commands}};
constexpr std::array kOptions = {OptionSpec{.name = "man", .help = "print the manual page (troff)"},
                                 OptionSpec{.name = "markdown", .help = "print the reference (Markdown)"}};
constexpr std::array kExamples = {Example{"puna help run", "about one command"},
                                  Example{"puna help --man | man -l -", "read the manual page"}};

Result<ExitCode> help(Context& context, const Invocation& invocation) {
  auto& out = context.console().out;
  if (invocation.has("man")) {
    out.write(manual_page());
    return ExitCode::ok;
  }
  if (invocation.has("markdown")) {
    out.write(markdown_reference());
    return ExitCode::ok;
  }
  if (invocation.rest().empty()) {
    out.write(overview(out));
    return ExitCode::ok;
  }
  std::span<const CommandSpec* const> among = commands();
  const CommandSpec* command = nullptr;
  std::string full_name;
  for (const auto& word : invocation.rest()) {
    command = find_command(among, word);
    if (!command) return fail(unknown_command(among, full_name, word));
    full_name += fmt::format("{}{}", full_name.empty() ? "" : " ", command->name);
    among = command->children;
  }
  out.write(command_help(*command, full_name, out));
  return ExitCode::ok;
}

}  // namespace

constinit const CommandSpec kHelp{
    .name = "help",
    .group = Group::more,
    .summary = "tell about the commands",
    .description = "Lists the commands, or tells about one of them. The manual page and the reference are printed from the same table.",
    .arguments = kArguments,
    .options = kOptions,
    .examples = kExamples,
    .run = help,
};

}  // namespace puna::cli
