#include "fleet/check_model.h"

#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "models/tiny_model.h"
#include "os/temporary_folder.h"

namespace puna::fleet {
namespace {

class CheckModel : public testing::Test {
 protected:
  // What a checker does that meets this file.
  std::filesystem::path script(std::string_view text) {
    std::ofstream(folder_.path() / "script") << text << '\n';
    return folder_.path() / "script";
  }
  os::TemporaryFolder folder_ = *os::TemporaryFolder::create();
};

TEST_F(CheckModel, tells_what_a_good_file_is) {
  const auto file = folder_.path() / "tiny.gguf";
  ASSERT_TRUE(tiny_model::write(file, tiny_model::Kind::chat));
  const auto summary = check_model(PUNA_PROGRAM, file);
  ASSERT_TRUE(summary) << summary.error().text();
  EXPECT_EQ(summary->architecture, "llama");
  EXPECT_TRUE(summary->capabilities.chat);
}

TEST_F(CheckModel, names_the_fault_of_a_damaged_file) {
  const auto file = folder_.path() / "tiny.gguf";
  ASSERT_TRUE(tiny_model::write(file, tiny_model::Kind::chat));
  std::filesystem::resize_file(file, 10'000);
  const auto summary = check_model(PUNA_PROGRAM, file);
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().code, Code::corrupt_data);
  EXPECT_NE(summary.error().text().find("tiny.gguf"), std::string::npos);
}

TEST_F(CheckModel, survives_a_checker_that_does_not) {
  const auto summary = check_model(PUNA_SCRIPTED_WORKER, script("signal 11"));
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().code, Code::corrupt_data);
  EXPECT_NE(summary.error().message.find("signal 11"), std::string::npos) << summary.error().message;
}

TEST_F(CheckModel, gives_up_a_checker_that_takes_too_long) {
  const auto summary = check_model(PUNA_SCRIPTED_WORKER, script("sleep"), {.deadline = Milliseconds(50)});
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().code, Code::deadline_exceeded);
}

TEST_F(CheckModel, ends_when_it_is_cancelled) {
  std::stop_source stop;
  stop.request_stop();
  const auto summary = check_model(PUNA_SCRIPTED_WORKER, script("sleep"), {}, stop.get_token());
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().code, Code::cancelled);
}

}  // namespace
}  // namespace puna::fleet
