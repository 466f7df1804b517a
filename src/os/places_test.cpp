#include "os/places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "os/temporary_folder.h"

namespace puna::os {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

mode_t mode_of(const fs::path& path) {
  struct stat info{};
  EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777;
}

class PlacesOnDisk : public testing::Test {
 protected:
  TemporaryFolder folder_ = TemporaryFolder::create().value();
  fs::path home_ = folder_.path() / "home";
  Places places_ = find_places({{"PUNA_HOME", home_.string()}}).value();
};

TEST(Places, follow_the_xdg_variables) {
  const auto runtime = TemporaryFolder::create().value();
  const auto places = find_places({{"XDG_CONFIG_HOME", "/c"},
                                   {"XDG_DATA_HOME", "/d"},
                                   {"XDG_STATE_HOME", "/s"},
                                   {"XDG_CACHE_HOME", "/k"},
                                   {"XDG_RUNTIME_DIR", runtime.path().string()}})
                          .value();
  EXPECT_EQ(places.config_file, "/c/puna/config.toml");
  EXPECT_EQ(places.database(), "/d/puna/puna.db");
  EXPECT_EQ(places.log_file(), "/s/puna/puna.log");
  EXPECT_EQ(places.partial_downloads(), "/k/puna/downloads");
  EXPECT_EQ(places.socket(), runtime.path() / "puna/puna.sock");
}

TEST(Places, default_to_the_home_folder_and_ignore_relative_xdg_paths) {
  const auto places = find_places({{"HOME", "/home/a"}, {"XDG_DATA_HOME", "relative"}, {"XDG_CACHE_HOME", ""}}).value();
  EXPECT_EQ(places.config_file, "/home/a/.config/puna/config.toml");
  EXPECT_EQ(places.models(), "/home/a/.local/share/puna/models");
  EXPECT_EQ(places.state, "/home/a/.local/state/puna");
  EXPECT_EQ(places.cache, "/home/a/.cache/puna");
}

TEST(Places, all_move_below_puna_home) {
  const auto places = find_places({{"PUNA_HOME", "/p/x/.."}, {"HOME", "/home/a"}, {"XDG_DATA_HOME", "/d"}}).value();
  for (const auto& path : {places.config_file, places.data, places.state, places.cache, places.runtime, places.lock()})
    EXPECT_TRUE(path.string().starts_with("/p/")) << path;
  EXPECT_TRUE(find_places({{"PUNA_HOME", "relative"}}).value().data.is_absolute());
}

TEST(Places, without_any_home_the_error_says_what_to_set) {
  const auto places = find_places({});
  ASSERT_FALSE(places);
  EXPECT_THAT(places.error().message, HasSubstr("PUNA_HOME"));
}

TEST(Places, an_unusable_runtime_folder_is_replaced) {
  EXPECT_EQ(find_places({{"HOME", "/home/a"}}).value().runtime, "/home/a/.local/state/puna/run");
  EXPECT_EQ(find_places({{"HOME", "/home/a"}, {"XDG_RUNTIME_DIR", "/no/such/folder"}}).value().runtime, "/home/a/.local/state/puna/run");
  const std::string deep = "/" + std::string(90, 'd');
  EXPECT_EQ(find_places({{"HOME", deep}}).value().runtime, fmt::format("/tmp/puna-{}", ::geteuid()));
}

TEST(Places, a_socket_path_beyond_the_systems_limit_is_refused_with_the_way_out) {
  EXPECT_TRUE(check_socket_path("/" + std::string(106, 'x')));
  EXPECT_THAT(check_socket_path("/" + std::string(107, 'x')).error().message, HasSubstr("PUNA_HOME"));
  EXPECT_EQ(find_places({{"PUNA_HOME", "/" + std::string(90, 'x')}}).error().code, Code::invalid_argument);
}

TEST_F(PlacesOnDisk, are_made_for_their_owner_only) {
  EXPECT_TRUE(ensure_places(places_).value().empty());
  for (const auto& path :
       {home_, places_.data, places_.models(), places_.state, places_.cache, places_.partial_downloads(), places_.runtime})
    EXPECT_EQ(mode_of(path), 0700u) << path;
  EXPECT_TRUE(ensure_places(places_).value().empty());
}

TEST_F(PlacesOnDisk, that_others_may_enter_are_reported_and_left_alone) {
  ASSERT_TRUE(ensure_places(places_));
  ASSERT_TRUE(write_file_atomic(places_.config_file, "", 0644));
  fs::permissions(places_.data, fs::perms(0755));
  const auto loose = ensure_places(places_).value();
  EXPECT_THAT(loose, ElementsAre(Field(&LooseMode::path, places_.data), Field(&LooseMode::path, places_.config_file)));
  EXPECT_EQ(loose.front().found, 0755u);
  EXPECT_EQ(loose.front().wanted, 0700u);
  EXPECT_EQ(mode_of(places_.data), 0755u);
}

TEST_F(PlacesOnDisk, a_runtime_folder_open_to_others_is_refused) {
  ASSERT_TRUE(ensure_places(places_));
  fs::permissions(places_.runtime, fs::perms(0770));
  EXPECT_EQ(ensure_places(places_).error().code, Code::permission_denied);
}

TEST_F(PlacesOnDisk, a_runtime_folder_planted_by_somebody_else_is_refused) {
  ASSERT_TRUE(ensure_places(places_));
  fs::create_directory_symlink(home_, folder_.path() / "planted");
  places_.runtime = folder_.path() / "planted";
  EXPECT_FALSE(ensure_places(places_));
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  places_.runtime = home_ / "run";
  ASSERT_EQ(::chown(places_.runtime.c_str(), 12345, 12345), 0);
  EXPECT_EQ(ensure_places(places_).error().code, Code::permission_denied);
}

TEST_F(PlacesOnDisk, a_file_in_the_way_is_named) {
  ASSERT_TRUE(write_file_atomic(home_, "in the way"));
  const auto ensured = ensure_places(places_);
  ASSERT_FALSE(ensured);
  EXPECT_THAT(ensured.error().message, HasSubstr(home_.string()));
}

}  // namespace
}  // namespace puna::os
