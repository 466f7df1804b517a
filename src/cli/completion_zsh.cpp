#include "base/text.h"
#include "cli/completion.h"
#include "cli/invocation.h"
#include "cli/registry.h"

namespace puna::cli {
namespace {

constexpr std::string_view kHead = R"zsh(#compdef puna
# Completion of puna for zsh; printed by `puna completion zsh`.
_puna_names() {
  local -a names
  names=(${(f)"$(command puna __names $1 2>/dev/null)"})
  compadd -a names
}
_puna_model_or_file() { _puna_names models; _files }
)zsh";

// For text inside single quotes, where [ ] and : have a meaning for _arguments.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out;
}

std::string action(Completes completes) {
  if (completes == Completes::files) return "_files";
  if (completes == Completes::model_or_file) return "_puna_model_or_file";
  if (const auto words = fixed_words(completes); !words.empty()) return fmt::format("({})", words);
  if (const auto kind = name_kind(completes); !kind.empty()) return fmt::format("_puna_names {}", kind);
  return " ";
}

std::string option_spec(const OptionSpec& option) {
  const std::string value = option.value.empty() ? std::string() : fmt::format(":{}:{}", escaped(option.value), action(option.completes));
  const std::string tail = fmt::format("[{}]{}", escaped(option.help), value);
  const std::string any = option.repeatable ? "*" : "";
  std::string out = fmt::format(" \\\n      '{}--{}{}'", any, option.name, tail);
  if (option.letter) out += fmt::format(" \\\n      '{}-{}{}'", any, option.letter, tail);
  return out;
}

std::string argument_spec(const ArgumentSpec& argument) {
  const bool many = argument.occurs == Occurs::any || argument.occurs == Occurs::some;
  return fmt::format(" \\\n      '{}:{}:{}'",
                     many                                  ? "*"
                     : argument.occurs == Occurs::optional ? ":"
                                                           : "",
                     escaped(argument.name), action(argument.completes));
}

enum class Arguments { complete, leave_out };

std::string arguments_call(const CommandSpec& command, Arguments arguments = Arguments::complete) {
  std::string out = "_arguments -s";
  for (const auto& option : options_of(command))
    if (!option.hidden) out += option_spec(option);
  if (arguments == Arguments::complete)
    for (const auto& argument : command.arguments) out += argument_spec(argument);
  return out + "\n";
}

std::string descriptions(std::span<const CommandSpec* const> among) {
  std::string out;
  for (const auto* command : among)
    if (command->group != Group::hidden) out += fmt::format("    '{}:{}'\n", command->name, escaped(command->summary));
  return out;
}

std::string branch(const CommandSpec& command) {
  const std::string alias = command.alias.empty() ? std::string() : fmt::format("|{}", command.alias);
  const std::string call = command.children.empty() ? arguments_call(command) : fmt::format("_puna_{}\n", command.name);
  return fmt::format("    {}{}) {}      ;;\n", command.name, alias, call);
}

// A function that completes one of several commands and what stands behind it.
// `itself`: the command that is meant when the first word names none of them; null: there is none.
std::string chooser(std::string_view name, std::span<const CommandSpec* const> among, const CommandSpec* itself) {
  std::string out = fmt::format(
      "{}() {{\n  local -a choices\n  local line state\n  choices=(\n{}  )\n"
      "  _arguments -C '1:command:->choice' '*::argument:->rest'\n"
      "  case $state in\n  choice) _describe command choices{} ;;\n  rest)\n    case $words[1] in\n",
      name, descriptions(among), itself ? "; " + action(first_argument(*itself)) : "");
  for (const auto* command : among)
    if (command->group != Group::hidden) out += branch(*command);
  if (itself) out += fmt::format("    *) _files ; {}      ;;\n", arguments_call(*itself, Arguments::leave_out));
  return out + "    esac ;;\n  esac\n}\n";
}

}  // namespace

std::string zsh_completion() {
  std::string out(kHead);
  for (const auto* command : commands())
    if (!command->children.empty())
      out += chooser(fmt::format("_puna_{}", command->name), command->children, command->run ? command : nullptr);
  return out + chooser("_puna", commands(), nullptr) + "_puna \"$@\"\n";
}

}  // namespace puna::cli
