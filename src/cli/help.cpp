#include "cli/help.h"

#include <array>

#include "base/text.h"
#include "cli/invocation.h"
#include "cli/registry.h"
#include "cli/screen/entries.h"
#include "cli/screen/width.h"

namespace puna::cli {
namespace {

constexpr std::size_t kMostColumns = 100;

std::string section(const Stream& stream, std::string_view title, const std::vector<Entry>& entries, std::size_t width) {
  if (entries.empty()) return {};
  return fmt::format("\n{}\n{}", stream.paint(Tone::bold, fmt::format("{}:", title)), list_entries(entries, width));
}

std::vector<Entry> argument_entries(const CommandSpec& command) {
  std::vector<Entry> out;
  for (const auto& argument : command.arguments) out.push_back({std::string(argument.name), std::string(argument.help)});
  return out;
}

std::vector<Entry> option_entries(const std::vector<OptionSpec>& options, std::string_view heading) {
  std::vector<Entry> out;
  for (const auto& option : options)
    if (!option.hidden && option.heading == heading) out.push_back({option_label(option), std::string(option.help)});
  return out;
}

std::string option_sections(const Stream& stream, const CommandSpec& command, std::size_t width) {
  const auto options = options_of(command);
  std::vector<std::string_view> headings;
  for (const auto& option : options)
    if (!option.heading.empty() && std::ranges::find(headings, option.heading) == headings.end()) headings.push_back(option.heading);
  std::string out = section(stream, "Options", option_entries(options, {}), width);
  for (const auto heading : headings) out += section(stream, heading, option_entries(options, heading), width);
  return out;
}

std::vector<Entry> child_entries(std::span<const CommandSpec* const> children) {
  std::vector<Entry> out;
  for (const auto* child : children) out.push_back({std::string(child->name), std::string(child->summary)});
  return out;
}

std::vector<Entry> example_entries(const CommandSpec& command) {
  std::vector<Entry> out;
  for (const auto& example : command.examples) out.push_back({std::string(example.command), std::string(example.what)});
  return out;
}

std::size_t columns(const Stream& stream) {
  return std::min(stream.width(), kMostColumns);
}

}  // namespace

std::string option_label(const OptionSpec& option) {
  std::string out = option.letter ? fmt::format("-{}, ", option.letter) : std::string("    ");
  out += fmt::format("--{}", option.name);
  return option.value.empty() ? out : fmt::format("{} {}", out, option.value);
}

std::string overview(const Stream& stream) {
  const std::size_t width = columns(stream);
  std::string out = fill("Puna runs language models on this machine.", width);
  out += fmt::format("\n{} puna COMMAND [OPTIONS]\n", stream.paint(Tone::bold, "Usage:"));
  for (const Group group : {Group::chat, Group::models, Group::daemon, Group::more}) {
    std::vector<Entry> entries;
    for (const auto* command : commands())
      if (command->group == group) entries.push_back({std::string(command->name), std::string(command->summary)});
    out += section(stream, heading(group), entries, width);
  }
  return out + '\n' + fill("`puna help COMMAND` tells more about a command, `puna doctor` whether all is well.", width);
}

std::string command_help(const CommandSpec& command, std::string_view full_name, const Stream& stream) {
  const std::size_t width = columns(stream);
  std::string out = fmt::format("{} {}\n", stream.paint(Tone::bold, "Usage:"), usage_line(command, full_name));
  if (command.run && !command.children.empty()) out += fmt::format("       puna {} COMMAND\n", full_name);
  if (!command.alias.empty()) out += fmt::format("Also: puna {}\n", command.alias);
  out += '\n' + fill(command.description, width);
  out += section(stream, "Arguments", argument_entries(command), width);
  out += section(stream, "Commands", child_entries(command.children), width);
  out += option_sections(stream, command, width);
  out += section(stream, "Examples", example_entries(command), width);
  return out;
}

}  // namespace puna::cli
