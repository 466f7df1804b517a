#include "cli/registry.h"

#include <gtest/gtest.h>

#include <set>

#include "cli/cli_testing.h"
#include "cli/help.h"
#include "cli/invocation.h"
#include "cli/screen/width.h"

namespace puna::cli {
namespace {

// ledger: T16
TEST(CommandRegistry, every_command_is_whole) {
  for_each_command([](const CommandSpec& command, const std::string& name) {
    EXPECT_FALSE(command.summary.empty()) << name;
    EXPECT_FALSE(command.summary.ends_with('.')) << name;
    EXPECT_TRUE(command.description.ends_with('.')) << name;
    EXPECT_FALSE(command.examples.empty()) << name;
    for (const auto& example : command.examples) EXPECT_TRUE(example.command.contains("puna ")) << name;
    EXPECT_TRUE(command.run || !command.children.empty()) << name << " neither runs nor has children";
  });
}

TEST(CommandRegistry, no_name_is_taken_twice) {
  std::set<std::string> names;
  const auto take = [&](std::string name) { EXPECT_TRUE(names.insert(name).second) << name; };
  for (const auto* command : commands()) {
    take(std::string(command->name));
    if (!command->alias.empty()) take(std::string(command->alias));
    for (const auto* child : command->children) take(fmt::format("{} {}", command->name, child->name));
  }
}

TEST(CommandRegistry, every_option_explains_itself_and_stands_once) {
  for_each_command([](const CommandSpec& command, const std::string& name) {
    std::set<std::string> seen;
    for (const auto& option : options_of(command)) {
      EXPECT_FALSE(option.help.empty()) << name << " --" << option.name;
      EXPECT_FALSE(option.help.ends_with('.')) << name << " --" << option.name;
      EXPECT_TRUE(seen.insert(std::string(option.name)).second) << name << " --" << option.name;
      if (option.letter) EXPECT_TRUE(seen.insert(std::string(1, option.letter)).second) << name << " -" << option.letter;
    }
  });
}

TEST(CommandRegistry, only_the_last_argument_takes_several_words) {
  for_each_command([](const CommandSpec& command, const std::string& name) {
    for (std::size_t i = 0; i + 1 < command.arguments.size(); ++i) {
      EXPECT_NE(command.arguments[i].occurs, Occurs::any) << name;
      EXPECT_NE(command.arguments[i].occurs, Occurs::some) << name;
    }
  });
}

// Commands whose name says that they show something.
TEST(CommandRegistry, what_prints_data_has_json) {
  for (const auto* name : {"list", "ps", "show", "pull", "run", "logs", "doctor", "version"}) {
    const auto* command = find_command(commands(), name);
    ASSERT_TRUE(command) << name;
    EXPECT_TRUE(command->prints_data) << name;
  }
}

TEST(CommandRegistry, help_keeps_to_the_terminals_width) {
  for (const std::size_t width : {40u, 80u}) {
    Captured captured;
    const auto console = capturing_console(captured, {.terminal = true, .width = width});
    for_each_command([&](const CommandSpec& command, const std::string& name) {
      const std::string help = command_help(command, name, console.out);
      const auto examples = help.find("\nExamples:");  // commands are not broken
      for (std::size_t at = help.find("\n\n"); at < examples;) {
        const std::size_t end = help.find('\n', at);
        EXPECT_LE(display_width(std::string_view(help).substr(at, end - at)), width) << name;
        at = end + 1;
      }
    });
  }
}

}  // namespace
}  // namespace puna::cli
