#include "cli/reference.h"

#include <gtest/gtest.h>

#include "cli/invocation.h"
#include "cli/registry.h"
#include "os/file.h"

namespace puna::cli {
namespace {

TEST(Reference, docs_are_what_the_program_prints) {
  const auto written = os::read_file(PUNA_SOURCE_FOLDER "/docs/cli.md", mib(1));
  ASSERT_TRUE(written) << written.error().text();
  EXPECT_EQ(*written, markdown_reference()) << "print it anew: puna help --markdown > docs/cli.md";
}

TEST(Reference, the_manual_tells_of_every_command_and_option) {
  const std::string manual = manual_page();
  for_each_command([&](const CommandSpec& command, const std::string& name) {
    EXPECT_TRUE(manual.contains(fmt::format(".SS puna {}", name))) << name;
    for (const auto& option : command.options)
      if (!option.hidden && !std::string_view(option.name).contains('-'))
        EXPECT_TRUE(manual.contains(fmt::format("\\-\\-{}", option.name))) << name << " --" << option.name;
  });
}

TEST(Reference, no_line_of_the_manual_is_taken_for_a_request) {
  const std::string manual = manual_page();
  for (std::size_t at = 0; (at = manual.find("\n.", at)) != std::string::npos; ++at)
    EXPECT_TRUE(std::isupper(static_cast<unsigned char>(manual[at + 2])) || manual.compare(at + 1, 3, ".nf") == 0 ||
                manual.compare(at + 1, 3, ".fi") == 0)
        << manual.substr(at + 1, 40);
}

}  // namespace
}  // namespace puna::cli
