#include "base/log.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/id.h"

namespace puna::log {
namespace {

namespace fs = std::filesystem;

class LogFile : public testing::Test {
 protected:
  LogFile() : folder_(fs::temp_directory_path() / new_ulid()) { fs::create_directory(folder_); }
  ~LogFile() override {
    open({}).value();
    fs::remove_all(folder_);
  }
  std::vector<std::string> lines() const {
    std::ifstream stream(folder_ / "puna.log");
    std::vector<std::string> out;
    for (std::string line; std::getline(stream, line);) out.push_back(line);
    return out;
  }
  fs::path folder_;
};

// ledger: T14
TEST_F(LogFile, a_line_is_one_json_object_with_level_component_and_fields) {
  open({.file = folder_ / "puna.log"}).value();
  info("fleet", "worker \"ready\"", {{"pid", 12}, {"model", "a\nb"}});
  ASSERT_EQ(lines().size(), 1u);
  const auto line = json::parse_object(lines()[0]).value();
  EXPECT_EQ(line.at("level").as_string(), "info");
  EXPECT_EQ(line.at("component").as_string(), "fleet");
  EXPECT_EQ(line.at("message").as_string(), "worker \"ready\"");
  EXPECT_EQ(line.at("pid").as_int64(), 12);
}

TEST_F(LogFile, lines_below_the_level_are_not_written) {
  open({.file = folder_ / "puna.log", .level = Level::warning}).value();
  info("x", "quiet");
  set_level(Level::info);
  info("x", "loud");
  ASSERT_EQ(lines().size(), 1u);
}

// ledger: T14
TEST_F(LogFile, credentials_are_masked) {
  open({.file = folder_ / "puna.log"}).value();
  info("hub", "GET https://me:hunter2@host/x with hf_abcdefghijklmnop", {{"header", "Authorization: Bearer topsecrettoken"}});
  EXPECT_EQ(lines()[0].find("hunter2"), std::string::npos);
  EXPECT_EQ(lines()[0].find("hf_abc"), std::string::npos);
  EXPECT_EQ(lines()[0].find("topsecret"), std::string::npos);
}

// ledger: T14
TEST_F(LogFile, files_rotate_and_their_number_is_bounded) {
  open({.file = folder_ / "puna.log", .max_file_size = Bytes(2000), .max_files = 2}).value();
  for (int i = 0; i < 200; ++i) info("x", "a line of some length that fills the file");
  const auto count = std::distance(fs::directory_iterator(folder_), fs::directory_iterator());
  EXPECT_EQ(count, 3);
  for (const auto& entry : fs::directory_iterator(folder_)) EXPECT_LE(entry.file_size(), 2200u);
}

TEST_F(LogFile, a_file_that_cannot_be_written_is_an_error) {
  fs::create_directory(folder_ / "folder.log");
  EXPECT_FALSE(open({.file = folder_ / "folder.log"}));
}

}  // namespace
}  // namespace puna::log
