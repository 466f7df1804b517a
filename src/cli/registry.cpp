#include "cli/registry.h"

#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"

namespace puna::cli {

std::span<const CommandSpec* const> commands() {
  // clang-format off: one a line
  static constexpr auto kCommands = std::to_array<const CommandSpec*>({
      &kRun,
      &kSearch,
      &kPull,
      &kUpdate,
      &kOutdated,
      &kList,
      &kShow,
      &kCreate,
      &kCopy,
      &kRemove,
      &kUndo,
      &kAlias,
      &kPin,
      &kUnpin,
      &kDiskUsage,
      &kVerify,
      &kProbe,
      &kQuantize,
      &kTune,
      &kPush,
      &kProfile,
      &kPs,
      &kStop,
      &kServe,
      &kLogs,
      &kJob,
      &kKey,
      &kUsage,
      &kConfig,
      &kDoctor,
      &kVersion,
      &kCompletion,
      &kHelp,
      &kNames,
  });
  // clang-format on
  return kCommands;
}

const CommandSpec* find_command(std::span<const CommandSpec* const> among, std::string_view name) {
  const auto matches = [&](const CommandSpec* command) { return command->name == name || (!name.empty() && command->alias == name); };
  const auto found = std::ranges::find_if(among, matches);
  return found == among.end() ? nullptr : *found;
}

Error unknown_command(std::span<const CommandSpec* const> among, std::string_view parent, std::string_view typed) {
  std::vector<std::string_view> known;
  for (const auto* command : among) {
    if (command->group == Group::hidden) continue;
    known.push_back(command->name);
    if (!command->alias.empty()) known.push_back(command->alias);
  }
  auto near = nearest(typed, std::span<const std::string_view>(known));
  const std::string space = parent.empty() ? "" : " ";
  std::string message = fmt::format("unknown command '{}{}{}'", parent, space, printable(typed));
  for (auto& name : near) name = fmt::format("'{}'", name);
  message += near.empty() ? fmt::format("; see `puna help{}{}`", space, parent) : fmt::format("; did you mean {}?", join(near, " or "));
  return {Code::invalid_argument, std::move(message)};
}

void for_each_command(const std::function<void(const CommandSpec&, const std::string&)>& visit) {
  for (const auto* command : commands()) {
    if (command->group == Group::hidden) continue;
    visit(*command, std::string(command->name));
    for (const auto* child : command->children) visit(*child, fmt::format("{} {}", command->name, child->name));
  }
}

std::string_view heading(Group group) {
  switch (group) {
    case Group::chat:
      return "Chat";
    case Group::models:
      return "Models";
    case Group::daemon:
      return "Daemon";
    case Group::more:
      return "More";
    case Group::hidden:
      return "";
  }
  return "";
}

}  // namespace puna::cli
