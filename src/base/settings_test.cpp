#include "base/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "base/id.h"
#include "base/settings_registry.h"

namespace puna {
namespace {

namespace fs = std::filesystem;

class SettingsFile : public testing::Test {
 protected:
  ~SettingsFile() override { fs::remove(path_); }
  void write(std::string_view text) const { std::ofstream(path_) << text; }
  std::string read() const {
    std::ifstream stream(path_);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  fs::path path_ = fs::temp_directory_path() / (new_ulid() + ".toml");
};

TEST(SettingsRegistry, every_row_is_whole_and_unique) {
  std::set<std::string_view> keys, variables;
  for (const auto* spec : setting::all()) {
    EXPECT_TRUE(keys.insert(spec->key).second) << spec->key;
    EXPECT_TRUE(variables.insert(spec->environment).second) << spec->key;
    EXPECT_TRUE(spec->environment.starts_with("PUNA_")) << spec->key;
    EXPECT_FALSE(spec->help.empty()) << spec->key;
    EXPECT_TRUE(parse_setting(*spec, spec->default_value)) << spec->key;
  }
}

TEST_F(SettingsFile, other_programs_variables_are_honoured_after_our_own) {
  const SettingsStore theirs({.file = {}, .environment = {{"HF_ENDPOINT", "https://mirror"}, {"HF_HUB_OFFLINE", "YES"}}, .flags = {}});
  EXPECT_THAT(theirs.snapshot()->get(setting::kHubEndpoints), testing::ElementsAre("https://mirror"));
  EXPECT_EQ(theirs.snapshot()->entry(setting::kHubEndpoints).source, "environment HF_ENDPOINT");
  EXPECT_TRUE(theirs.snapshot()->get(setting::kOffline));
  const SettingsStore both({.file = {}, .environment = {{"HF_TOKEN", "theirs"}, {"PUNA_HUB_TOKEN", "ours"}}, .flags = {}});
  EXPECT_EQ(both.snapshot()->get(setting::kHubToken), "ours");
}

TEST(Settings, a_secret_is_never_shown) {
  EXPECT_EQ(shown_setting(setting::kHubToken, std::string("hf_abc")), "(set)");
  EXPECT_EQ(shown_setting(setting::kHubToken, std::string()), "");
  EXPECT_EQ(shown_setting(setting::kHost, std::string("x")), "x");
}

TEST_F(SettingsFile, a_flag_beats_the_environment_which_beats_the_file_which_beats_the_default) {
  write("[server]\nport = 1001\nhost = \"::1\"\n[models]\nslots = 2\n");
  const SettingsStore store({path_, {{"PUNA_PORT", "1002"}, {"PUNA_SLOTS", "3"}}, {{"server.port", "1003"}}});
  const auto settings = store.snapshot();
  EXPECT_EQ(settings->get(setting::kPort), 1003);
  EXPECT_EQ(settings->get(setting::kSlots), 3);
  EXPECT_EQ(settings->get(setting::kHost), "::1");
  EXPECT_EQ(settings->get(setting::kRetryAttempts), 5);
  EXPECT_EQ(settings->entry(setting::kPort).origin, SettingOrigin::flag);
  EXPECT_EQ(settings->entry(setting::kHost).origin, SettingOrigin::file);
}

// ledger: T10
TEST_F(SettingsFile, a_broken_file_is_reported_with_line_and_column_and_kept) {
  const std::string broken = "[server]\nport = = 5\n";
  write(broken);
  const SettingsStore store({path_, {}, {}});
  ASSERT_EQ(store.problems().size(), 1u);
  EXPECT_EQ(store.problems()[0].line, 2);
  EXPECT_GT(store.problems()[0].column, 0);
  EXPECT_EQ(read(), broken);
  EXPECT_FALSE(edit_settings_text(broken, setting::kPort, "9"));
  EXPECT_EQ(store.snapshot()->get(setting::kPort), 17862);
}

// ledger: T10
TEST_F(SettingsFile, a_bad_value_costs_only_its_own_key) {
  write("[server]\nport = 99999\nhost = \"::1\"\n[models]\nslotz = 4\n");
  const SettingsStore store({path_, {}, {}});
  EXPECT_EQ(store.snapshot()->get(setting::kPort), 17862);
  EXPECT_EQ(store.snapshot()->get(setting::kHost), "::1");
  ASSERT_EQ(store.problems().size(), 2u);
  EXPECT_NE(store.problems()[0].text().find(":5:"), std::string::npos) << store.problems()[0].text();
  EXPECT_NE(store.problems()[0].message.find("did you mean models.slots"), std::string::npos) << store.problems()[0].message;
  EXPECT_EQ(store.problems()[1].message, "setting server.port: 99999 is above the greatest value 65535");
}

TEST_F(SettingsFile, reload_says_which_keys_changed) {
  write("[models]\nslots = 2\n");
  SettingsStore store({path_, {}, {}});
  write("[models]\nslots = 8\n");
  EXPECT_EQ(store.reload(), std::vector<std::string>{"models.slots"});
  EXPECT_EQ(store.snapshot()->get(setting::kSlots), 8);
}

TEST(EditSettings, keeps_comments_and_changes_one_line) {
  const std::string text = "# mine\n[server]\nport = 5 # why\nhost = \"::1\"\n\n[log]\nlevel = \"info\"\n";
  EXPECT_EQ(edit_settings_text(text, setting::kHost, "127.0.0.1").value(),
            "# mine\n[server]\nport = 5 # why\nhost = \"127.0.0.1\"\n\n[log]\nlevel = \"info\"\n");
  EXPECT_EQ(edit_settings_text(text, setting::kTcp, "off").value(),
            "# mine\n[server]\nport = 5 # why\nhost = \"::1\"\ntcp = false\n\n[log]\nlevel = \"info\"\n");
  EXPECT_EQ(edit_settings_text("", setting::kKeepAlive, "-1").value(), "[models]\nkeep_alive = \"-1\"\n");
  EXPECT_EQ(edit_settings_text("[log]\nlevel = \"info\"\n", setting::kLogLevel, std::nullopt).value(), "[log]\n");
  EXPECT_FALSE(edit_settings_text("", setting::kPort, "many"));
}

TEST(Settings, text_of_a_value_is_read_back_as_the_same_value) {
  for (const auto* spec : setting::all()) {
    const auto value = parse_setting(*spec, spec->default_value).value();
    EXPECT_EQ(parse_setting(*spec, setting_text(value)).value(), value) << spec->key;
  }
}

}  // namespace
}  // namespace puna
