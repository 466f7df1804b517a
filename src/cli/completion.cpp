#include "cli/completion.h"

#include "cli/registry.h"

namespace puna::cli {

std::string_view name_kind(Completes completes) {
  switch (completes) {
    case Completes::models:
    case Completes::model_or_file:
      return "models";
    case Completes::profiles:
      return "profiles";
    case Completes::running_models:
      return "running";
    case Completes::jobs:
      return "jobs";
    case Completes::tune_runs:
      return "tune-runs";
    case Completes::settings:
      return "settings";
    case Completes::nothing:
    case Completes::files:
    case Completes::commands:
    case Completes::shells:
    case Completes::json_format:
      return "";
  }
  return "";
}

std::string fixed_words(Completes completes) {
  if (completes == Completes::shells) return "bash zsh fish";
  if (completes == Completes::json_format) return "json";
  if (completes != Completes::commands) return {};
  std::string out;
  for (const auto* command : commands())
    if (command->group != Group::hidden) out += fmt::format("{}{}", out.empty() ? "" : " ", command->name);
  return out;
}

Completes first_argument(const CommandSpec& command) {
  return command.arguments.empty() ? Completes::nothing : command.arguments.front().completes;
}

}  // namespace puna::cli
