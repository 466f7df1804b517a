#include "cli/completion.h"
#include "cli/invocation.h"
#include "cli/registry.h"

namespace puna::cli {
namespace {

std::string fish_text(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

// Prints the command that the line is about: "run", "config get", or nothing yet.
std::string path_function() {
  std::string parents, own_words;
  for (const auto* command : commands()) {
    if (!command->children.empty()) parents += fmt::format(" {}", command->name);
    if (command->children.empty() || !command->run) continue;
    own_words += fmt::format("        if test \"$path[1]\" = {}; and not contains -- $word", command->name);  // it runs itself
    for (const auto* child : command->children) own_words += fmt::format(" {}", child->name);
    own_words += "\n            break\n        end\n";
  }
  return fmt::format(
      "function __puna_path\n"
      "    set -l path\n"
      "    for word in (commandline -opc)[2..]\n"
      "        string match -q -- '-*' $word; and continue\n"
      "{}"
      "        set -a path $word\n"
      "        test (count $path) -eq 2; and break\n"
      "        contains -- $word{}; or break\n"
      "    end\n"
      "    string join ' ' $path\n"
      "end\n",
      own_words, parents);
}

std::string offered(Completes completes) {
  if (const auto words = fixed_words(completes); !words.empty()) return words;
  if (const auto kind = name_kind(completes); !kind.empty()) return fmt::format("(__puna_names {})", kind);
  return {};
}

// "-F" lets files be completed beside the words, which `complete -f` switched off.
std::string files_flag(Completes completes) {
  return completes == Completes::files || completes == Completes::model_or_file ? " -F" : "";
}

std::string condition(const CommandSpec& command, std::string_view full_name) {
  std::string out = fmt::format("test \"$(__puna_path)\" = \"{}\"", full_name);
  if (!command.alias.empty() && !full_name.contains(' ')) out += fmt::format("; or test \"$(__puna_path)\" = \"{}\"", command.alias);
  return out;
}

std::string lines_for(const CommandSpec& command, std::string_view full_name) {
  const std::string when = fmt::format("complete -c puna -n '{}'", condition(command, full_name));
  std::string out;
  for (const auto* child : command.children) out += fmt::format("{} -a {} -d {}\n", when, child->name, fish_text(child->summary));
  for (const auto& option : options_of(command)) {
    if (option.hidden) continue;
    out += fmt::format("{} -l {}", when, option.name);
    if (option.letter) out += fmt::format(" -s {}", option.letter);
    if (!option.value.empty()) out += files_flag(option.completes).empty() ? " -x" : " -r -F";
    if (const auto words = offered(option.completes); !words.empty()) out += fmt::format(" -a {}", fish_text(words));
    out += fmt::format(" -d {}\n", fish_text(option.help));
  }
  const Completes first = first_argument(command);
  if (const auto words = offered(first); !words.empty()) out += fmt::format("{}{} -a {}\n", when, files_flag(first), fish_text(words));
  if (first == Completes::files) out += fmt::format("{} -F\n", when);
  return out;
}

}  // namespace

std::string fish_completion() {
  std::string out =
      "# Completion of puna for fish; printed by `puna completion fish`.\n"
      "function __puna_names\n    command puna __names $argv 2>/dev/null\nend\n" +
      path_function() + "complete -c puna -f\n";
  for (const auto* command : commands())
    if (command->group != Group::hidden)
      out += fmt::format("complete -c puna -n 'test -z \"$(__puna_path)\"' -a {} -d {}\n", command->name, fish_text(command->summary));
  for_each_command([&](const CommandSpec& command, const std::string& full_name) { out += lines_for(command, full_name); });
  return out;
}

}  // namespace puna::cli
