#include <gtest/gtest.h>

#include "cli/cli_testing.h"
#include "os/file.h"
#include "wire/system.h"

namespace puna::cli {
namespace {

using Config = InHome;
using ConfigOfDaemon = WithDaemon;

TEST_F(Config, a_change_is_written_to_the_file_and_read_back) {
  const auto set = run_words({"config", "set", "models.context", "8192"});
  EXPECT_EQ(set.code, 0);
  EXPECT_EQ(set.err, "models.context = 8192\n");
  EXPECT_EQ(run_words({"config", "get", "models.context"}).out, "8192\n");
  EXPECT_EQ(run_words({"config", "unset", "models.context"}).err, "models.context = 4096\n");
}

TEST_F(Config, the_origin_of_each_value_is_shown) {
  environment_["PUNA_SLOTS"] = "2";
  run_words({"config", "set", "models.threads", "3"});
  const auto ran = run_words({"config", "show", "--origin", "models."});
  EXPECT_TRUE(ran.out.contains("environment   environment PUNA_SLOTS")) << ran.out;
  EXPECT_TRUE(ran.out.contains("file          " + (home() / "config.toml").string())) << ran.out;
}

TEST_F(Config, a_value_that_does_not_fit_is_refused_and_nothing_is_written) {
  const auto ran = run_words({"config", "set", "models.slots", "0"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_TRUE(ran.err.contains("models.slots")) << ran.err;
  EXPECT_FALSE(std::filesystem::exists(home() / "config.toml"));
}

TEST_F(Config, an_unknown_key_names_the_nearest) {
  const auto ran = run_words({"config", "get", "models.contxt"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_TRUE(ran.err.contains("models.context")) << ran.err;
}

TEST_F(Config, says_when_the_environment_has_the_last_word) {
  environment_["PUNA_SLOTS"] = "2";
  const auto ran = run_words({"config", "set", "models.slots", "8"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_TRUE(ran.err.contains("has the last word: 2")) << ran.err;
}

TEST_F(Config, says_when_a_change_waits_for_a_restart) {
  EXPECT_EQ(run_words({"config", "set", "server.port", "9000"}).err, "server.port = 9000  (from the daemon's next start on)\n");
}

// ledger: T10
TEST_F(Config, a_broken_file_is_reported_with_its_place_and_kept) {
  const std::string broken = "[models]\ncontext = = 5\n";
  ASSERT_TRUE(os::write_file_atomic(home() / "config.toml", broken));
  const auto ran = run_words({"config", "show"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_TRUE(ran.err.contains("config.toml:2:")) << ran.err;
  EXPECT_EQ(os::read_file(home() / "config.toml", kib(1)).value_or(""), broken);
}

TEST_F(Config, path_prints_the_file) {
  EXPECT_EQ(run_words({"config", "path"}).out, (home() / "config.toml").string() + "\n");
}

TEST_F(ConfigOfDaemon, a_running_daemon_makes_the_change_itself) {
  on_as("PATCH /api/v1/settings", 200,
        wire::SettingsView{.settings = {{.key = "models.slots", .value = "8", .origin = SettingOrigin::file}}});
  EXPECT_EQ(run_words({"config", "set", "models.slots", "8"}).err, "models.slots = 8\n");
  EXPECT_EQ(daemon_->asked().front(), R"(PATCH /api/v1/settings {"key":"models.slots","value":"8"})");
  EXPECT_FALSE(std::filesystem::exists(home() / "config.toml"));
}

}  // namespace
}  // namespace puna::cli
