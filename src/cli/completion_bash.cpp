#include "cli/completion.h"
#include "cli/invocation.h"
#include "cli/registry.h"

namespace puna::cli {
namespace {

constexpr std::string_view kHead = R"bash(# Completion of puna for bash; printed by `puna completion bash`.
_puna_offer() { local word; for word in "$@"; do [[ $word == "$current"* ]] && COMPREPLY+=("$word"); done; }
_puna_names() { local names; mapfile -t names < <(command puna __names "$1" 2>/dev/null); _puna_offer "${names[@]}"; }
_puna_files() { local files; mapfile -t files < <(compgen -f -- "$current"); COMPREPLY+=("${files[@]}"); compopt -o filenames; }
_puna() {
  # Words are split at blanks only: bash itself would split model names at their colons.
  local line=${COMP_LINE:0:COMP_POINT} words current previous path= i
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=${words[-1]} previous=${words[-2]}
  for ((i = 1; i < ${#words[@]} - 1; i++)); do
    [[ ${words[i]} == -* ]] && continue
    case $path in
)bash";
constexpr std::string_view kTail = R"bash(  esac
  if [[ $current == *:* && $COMP_WORDBREAKS == *:* ]]; then
    local head=${current%"${current##*:}"}
    COMPREPLY=("${COMPREPLY[@]#"$head"}")
  fi
}
complete -F _puna puna
)bash";

std::string pattern(const CommandSpec& command, std::string_view full_name) {
  std::string out = fmt::format("\"{}\"", full_name);
  if (command.alias.empty()) return out;
  const auto space = full_name.rfind(' ');
  const std::string_view parent = space == std::string_view::npos ? std::string_view() : full_name.substr(0, space + 1);
  return out + fmt::format(" | \"{}{}\"", parent, command.alias);
}

std::string offer(Completes completes) {
  if (completes == Completes::files) return "_puna_files";
  std::string out;
  if (const auto words = fixed_words(completes); !words.empty()) out = "_puna_offer " + words;
  if (const auto kind = name_kind(completes); !kind.empty()) out = fmt::format("_puna_names {}", kind);
  if (completes == Completes::model_or_file) out += "; _puna_files";
  return out.empty() ? ":" : out;
}

std::string children_words(const CommandSpec& command) {
  std::string out = "_puna_offer";
  for (const auto* child : command.children) out += fmt::format(" {}", child->name);
  return out;
}

// How the word behind a command that has others leads on; behind one that runs itself only their names do.
std::string path_branch(const CommandSpec& command) {
  if (command.children.empty()) return {};
  std::string names = command.run ? "" : "*";
  if (command.run)
    for (const auto* child : command.children) names += fmt::format("{}{}", names.empty() ? "" : " | ", child->name);
  return fmt::format("      {}) case ${{words[i]}} in {}) path+=\" ${{words[i]}}\" ;; esac ;;\n", command.name, names);
}

std::string branch(const CommandSpec& command, std::string_view full_name) {
  std::string values;
  std::string options;
  for (const auto& option : options_of(command)) {
    if (option.hidden) continue;
    options += fmt::format(" --{}", option.name);
    if (option.value.empty()) continue;
    const std::string letter = option.letter ? fmt::format(" | -{}", option.letter) : std::string();
    values += fmt::format("        --{}{}) {} ;;\n", option.name, letter, offer(option.completes));
  }
  std::string positional = command.children.empty() ? offer(first_argument(command)) : children_words(command);
  if (command.run && !command.children.empty()) positional += "; " + offer(first_argument(command)) + "; _puna_files";
  return fmt::format(
      "    {})\n      case $previous in\n{}        *) if [[ $current == -* ]]; then _puna_offer{}; else {}; fi ;;\n      esac ;;\n",
      pattern(command, full_name), values, options, positional);
}

}  // namespace

std::string bash_completion() {
  std::string out(kHead);
  std::string parents;
  for (const auto* command : commands()) parents += path_branch(*command);
  out += fmt::format("      \"\") path=${{words[i]}} ;;\n{}    esac\n  done\n  COMPREPLY=()\n  case $path in\n", parents);
  out += fmt::format("    \"\") _puna_offer {} --help --version ;;\n", fixed_words(Completes::commands));
  for_each_command([&](const CommandSpec& command, const std::string& full_name) { out += branch(command, full_name); });
  return out + std::string(kTail);
}

}  // namespace puna::cli
