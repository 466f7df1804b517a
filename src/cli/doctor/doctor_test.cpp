#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/json.h"
#include "cli/cli_testing.h"
#include "os/file.h"
#include "os/file_lock.h"
#include "wire/model.h"
#include "wire/system.h"

namespace puna::cli {
namespace {

using Doctor = InHome;
using DoctorOfDaemon = WithDaemon;

TEST_F(Doctor, changes_nothing_and_finds_nothing_on_a_fresh_machine) {
  const auto ran = run_words({"doctor", "--quick"});
  EXPECT_EQ(ran.code, 0) << ran.out;
  EXPECT_EQ(ran.err, "\nno problems found\n");
  EXPECT_TRUE(ran.out.contains("does not run; the next command that needs it starts it")) << ran.out;
  EXPECT_TRUE(std::filesystem::is_empty(home()));
}

TEST_F(Doctor, tells_loose_folders_and_how_to_close_them) {
  ASSERT_TRUE(std::filesystem::create_directory(home() / "data"));
  ASSERT_EQ(::chmod((home() / "data").c_str(), 0755), 0);
  const auto ran = run_words({"doctor", "--quick"});
  EXPECT_TRUE(ran.out.contains("can be entered by others (mode 755)")) << ran.out;
  EXPECT_TRUE(ran.out.contains(fmt::format("-> chmod 700 {}", (home() / "data").string()))) << ran.out;
}

TEST_F(Doctor, a_broken_settings_file_is_a_problem_with_its_place) {
  ASSERT_TRUE(os::write_file_atomic(home() / "config.toml", "[models]\nslots = 0\n"));
  const auto ran = run_words({"doctor", "--quick"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_TRUE(ran.out.contains("config.toml:2:")) << ran.out;
  EXPECT_EQ(ran.err, "\n1 problem found\n");
}

TEST_F(Doctor, names_the_kernels_that_models_compute_with_or_why_there_are_none) {
  EXPECT_TRUE(run_words({"doctor", "--quick"}).out.contains("models compute with the haswell kernels"));
  compute_ = fail(Code::unavailable, "no compute kernels for this CPU in /opt/lib/puna");
  const auto ran = run_words({"doctor", "--quick"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_TRUE(ran.out.contains("no compute kernels for this CPU in /opt/lib/puna")) << ran.out;
}

TEST_F(Doctor, notices_a_misspelt_variable) {
  environment_["PUNA_PROT"] = "9000";
  EXPECT_TRUE(run_words({"doctor", "--quick"}).out.contains("did you mean PUNA_PORT?"));
}

TEST_F(Doctor, notices_a_daemon_that_owns_the_data_but_does_not_listen) {
  ASSERT_TRUE(std::filesystem::create_directory(home() / "data"));
  const auto lock = os::FileLock::acquire(home() / "data" / "puna.lock");
  ASSERT_TRUE(lock) << lock.error().text();
  const auto ran = run_words({"doctor", "--quick"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_TRUE(ran.out.contains("but does not listen")) << ran.out;
}

TEST_F(DoctorOfDaemon, tells_of_a_daemon_of_another_version_and_of_broken_models) {
  on_as("GET /api/v1/status", 200, wire::Status{.version = "0.0.1", .pid = 7});
  on_as("GET /api/v1/models", 200, wire::ModelList{{{.name = "m:latest", .problem = "its file is missing"}}});
  const auto ran = run_words({"doctor", "--json", "--quick"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_TRUE(ran.out.contains("the daemon is version 0.0.1")) << ran.out;
  EXPECT_TRUE(ran.out.contains("m:latest: its file is missing")) << ran.out;
  EXPECT_TRUE(json::parse_object(ran.out)) << ran.out;
}

}  // namespace
}  // namespace puna::cli
