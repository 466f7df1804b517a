#include "profile/templates.h"

#include <gtest/gtest.h>

#include "os/temporary_folder.h"

namespace puna::profile {
namespace {

TEST(Templates, of_removed_profiles_go_and_the_others_stay) {
  const auto folder = os::TemporaryFolder::create().value();
  const auto kept = keep_template("{{ kept }}", folder.path() / "t").value();
  const auto left = keep_template("{{ left }}", folder.path() / "t").value();
  const std::vector<wire::Profile> profiles = {{.name = "plain"}, {.name = "own", .settings = {.chat_template = "{{ kept }}"}}};
  ASSERT_TRUE(drop_unused_templates(profiles, folder.path() / "t"));
  EXPECT_TRUE(std::filesystem::exists(kept));
  EXPECT_FALSE(std::filesystem::exists(left));
}

TEST(Templates, without_a_folder_are_none) {
  const auto folder = os::TemporaryFolder::create().value();
  EXPECT_TRUE(drop_unused_templates({}, folder.path() / "t"));
}

}  // namespace
}  // namespace puna::profile
