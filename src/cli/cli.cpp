#include "cli/cli.h"

#include "base/text.h"
#include "base/version.h"
#include "cli/context.h"
#include "cli/help.h"
#include "cli/invocation.h"
#include "cli/registry.h"

namespace puna::cli {
namespace {

struct Resolved {
  const CommandSpec* command;
  std::string full_name;
  std::vector<std::string> words;  // behind the command's name
};

Result<ColourChoice> parse_colour(std::string_view text) {
  if (text == "auto") return ColourChoice::automatic;
  if (text == "always") return ColourChoice::always;
  if (text == "never") return ColourChoice::never;
  return fail(Code::invalid_argument, fmt::format("--color: '{}' is not one of auto, always, never", printable(text)));
}

bool asks_for_help(std::string_view word) {
  return word == "--help" || word == "-h";
}

// The options that may stand before the command's name.
Result<std::size_t> skip_leading_options(const std::vector<std::string>& words, Context& context) {
  std::size_t at = 0;
  while (at < words.size() && words[at].starts_with("--color")) {
    std::string_view value = words[at];
    if (value == "--color") value = ++at < words.size() ? std::string_view(words[at]) : std::string_view();
    if (value.starts_with("--color=")) value.remove_prefix(std::string_view("--color=").size());
    PUNA_TRY(const auto choice, parse_colour(value));
    context.console().choose_colour(choice, context.environment());
    ++at;
  }
  return at;
}

Result<Resolved> resolve(const std::vector<std::string>& words, std::size_t at) {
  const std::string& name = words[at];
  if (name.starts_with('-')) return fail(Code::invalid_argument, fmt::format("unknown option '{}'; see `puna help`", printable(name)));
  const CommandSpec* command = find_command(commands(), name);
  if (!command) return fail(unknown_command(commands(), "", name));
  Resolved resolved{command, std::string(command->name), {words.begin() + static_cast<std::ptrdiff_t>(at) + 1, words.end()}};
  if (command->children.empty() || resolved.words.empty() || resolved.words.front().starts_with('-')) return resolved;
  const std::string child_name = resolved.words.front();
  resolved.command = find_command(command->children, child_name);
  if (!resolved.command && command->run) {
    resolved.command = command;
    return resolved;
  }
  if (!resolved.command) return fail(unknown_command(command->children, command->name, child_name));
  resolved.full_name += fmt::format(" {}", resolved.command->name);
  resolved.words.erase(resolved.words.begin());
  return resolved;
}

Result<ExitCode> print_help(Context& context, const CommandSpec& command, std::string_view full_name) {
  auto& out = context.console().out;
  out.write(command_help(command, full_name, out));
  return ExitCode::ok;
}

Result<ExitCode> execute(const std::vector<std::string>& words, Context& context) {
  auto& out = context.console().out;
  PUNA_TRY(const std::size_t at, skip_leading_options(words, context));
  if (at == words.size() || asks_for_help(words[at])) {
    out.write(overview(out));
    return ExitCode::ok;
  }
  if (words[at] == "--version" || words[at] == "-v") {
    out.line(fmt::format("puna {}", version()));
    return ExitCode::ok;
  }
  PUNA_TRY(const auto resolved, resolve(words, at));
  PUNA_TRY(const auto invocation, read_invocation(*resolved.command, resolved.full_name, resolved.words));
  if (const auto colour = invocation.text("color")) {
    PUNA_TRY(const auto choice, parse_colour(*colour));
    context.console().choose_colour(choice, context.environment());
  }
  if (invocation.has("help")) return print_help(context, *resolved.command, resolved.full_name);
  if (resolved.command->run) return resolved.command->run(context, invocation);
  return fail(Code::invalid_argument, fmt::format("`puna {}` needs a command; see `puna help {}`", resolved.full_name, resolved.full_name));
}

}  // namespace

int run(const std::vector<std::string>& words, Console& console, const os::Environment& environment, const EntryPoints& entry_points) {
  Context context(console, environment, entry_points);
  const auto code = execute(words, context);
  if (!code) {
    if (code.error().code == Code::cancelled)  // no fault: it was asked for
      console.err.line(printable(code.error().text()));
    else
      console.complain(code.error());
    return traits(code.error().code).exit_code;
  }
  if (const auto& written = console.out.problem(); !written) {
    console.complain(Error(written.error()).within("cannot write to standard output"));
    return static_cast<int>(ExitCode::failure);
  }
  return static_cast<int>(*code);
}

int run(int argc, char** argv, const EntryPoints& entry_points) {
  const auto environment = os::current_environment();
  auto console = Console::standard(environment);
  return run(std::vector<std::string>(argv + std::min(argc, 1), argv + argc), console, environment, entry_points);
}

}  // namespace puna::cli
