#include "access/request_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/access_testing.h"
#include "os/file.h"
#include "os/temporary_folder.h"

namespace puna::access {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct LogScene : Scene {
  os::TemporaryFolder folder = std::move(os::TemporaryFolder::create()).value();
  std::filesystem::path file = folder.path() / "requests.log";
  RequestLog log{file, settings()};
  [[nodiscard]] std::string text() const { return os::read_file(file, mib(1)).value_or(""); }
};

TEST(RequestLog, has_one_line_for_a_request_with_all_that_became_known) {
  LogScene scene;
  scene.log.begin("r1");
  scene.log.add("r1", {{"model", "m:latest"}, {"tokens_out", 5}});
  scene.log.end("r1", {{"client", "key_a"}, {"status", 200}});
  const auto line = json::parse_object(scene.text()).value();
  EXPECT_EQ(line.at("id"), "r1");
  EXPECT_EQ(line.at("model"), "m:latest");
  EXPECT_EQ(line.at("status"), 200);
  EXPECT_TRUE(parse_time(std::string(line.at("time").as_string())));
}

TEST(RequestLog, writes_work_that_nobody_waits_for_at_once) {
  LogScene scene;
  scene.log.add("batch-1", {{"model", "m:latest"}});
  EXPECT_THAT(scene.text(), HasSubstr("batch-1"));
}

TEST(RequestLog, holds_no_key) {
  LogScene scene;
  const auto key = scene.secret({.name = "a"});
  scene.log.add("r1", {{"model", key}});
  EXPECT_THAT(scene.text(), Not(HasSubstr(key)));
}

TEST(RequestLog, is_silent_when_the_setting_says_so) {
  LogScene scene;
  scene.set({{"log.requests", "false"}});
  scene.log.add("r1", {{"model", "m"}});
  EXPECT_THAT(scene.text(), IsEmpty());
}

}  // namespace
}  // namespace puna::access
