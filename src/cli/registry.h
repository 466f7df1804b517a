// Every command of the program.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/spec.h"

namespace puna::cli {

// In the order of `puna help`.
[[nodiscard]] std::span<const CommandSpec* const> commands();
// By name or alias; null when there is none.
[[nodiscard]] const CommandSpec* find_command(std::span<const CommandSpec* const> among, std::string_view name);
// "unknown command 'lst'; did you mean 'list'?", with exit code 2.
[[nodiscard]] Error unknown_command(std::span<const CommandSpec* const> among, std::string_view parent, std::string_view typed);

// Calls `visit` for each command and each of its children, with the full name ("config get"), hidden ones left out.
void for_each_command(const std::function<void(const CommandSpec&, const std::string& full_name)>& visit);

[[nodiscard]] std::string_view heading(Group group);

}  // namespace puna::cli
