#include "os/safe_path.h"

#include <gtest/gtest.h>

#include <fstream>

#include "os/temporary_folder.h"

namespace puna::os {
namespace {

namespace fs = std::filesystem;
using namespace std::string_view_literals;

class SafePath : public testing::Test {
 protected:
  SafePath() {
    fs::create_directories(root_ / "models");
    fs::create_directories(folder_.path() / "outside");
  }
  TemporaryFolder folder_ = TemporaryFolder::create().value();
  fs::path root_ = folder_.path() / "root";
};

constexpr std::array kRefused = {
    ""sv, "/"sv, "/etc/passwd"sv, "."sv, ".."sv, "../x"sv, "a/../b"sv, "a/../../b"sv, "models/.."sv, "a/./b"sv, "a//b"sv, "a/"sv,
    "\\etc\\passwd"sv, "..\\x"sv, "C:\\x"sv, "C:x"sv, "file:///etc/passwd"sv, "a\0b"sv, "..\0/x"sv, "a\nb"sv, "\x1b[2Jx"sv, "a\x7f"sv,
    // Encoded: percent, twice percent, overlong UTF-8, invalid UTF-8, look-alikes, characters that turn text around.
    "%2e%2e"sv, "%2E%2e/x"sv, "..%2fx"sv, "a%2f..%2fb"sv, "%252e%252e"sv, "a%5cb"sv, "a%00b"sv, "\xc0\xae\xc0\xae/x"sv, "\xc0\xaf"sv,
    "a\xff"sv, "\xed\xa0\x80"sv, "\xef\xbc\x8e\xef\xbc\x8e"sv,
    "a\xe2\x88\x95"
    "b"sv,
    "a\xef\xbc\x8f"
    "b"sv,
    "\xe2\x80\xa5"sv,
    "gguf.\xe2\x80\xae"
    "exe"sv,
    "a\xe2\x80\x8b"
    "b"sv,
    "a\xc2\x85"
    "b"sv,
    // Reserved elsewhere.
    "CON"sv, "con.txt"sv, "nul"sv, "AUX.gguf"sv, "com1"sv, "LPT9.x"sv, "models/NUL/x"sv, "a."sv, "a "sv, " a"sv, "a. /b"sv, "a:b"sv, "a*"sv,
    "a?b"sv, "a|b"sv, "<a>"sv, "a\"b"sv};

// ledger: D3
// ledger: F15
TEST_F(SafePath, refuses_every_name_that_leads_or_seems_to_lead_elsewhere) {
  for (const auto name : kRefused) {
    const auto path = resolve_below(root_, name);
    ASSERT_FALSE(path) << name;
    EXPECT_EQ(path.error().code, Code::invalid_argument) << name;
    for (const char c : path.error().message) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << "the message itself is safe to print";
  }
  EXPECT_FALSE(resolve_below(root_, std::string(256, 'x')));
  EXPECT_FALSE(resolve_below(root_, std::string(4000, 'x') + "/x"));
}

// ledger: D3
TEST_F(SafePath, accepts_the_names_that_hubs_use) {
  for (const auto name : {"model.gguf"sv, "Qwen2.5-0.5B-Instruct-Q4_K_M.gguf"sv, "models/x-00001-of-00003.gguf"sv, ".gitattributes"sv,
                          "a b.txt"sv, "100%.txt"sv, "50%2.gguf"sv, "été/模型.gguf"sv, "a..b"sv, "_"sv, "console.log"sv, "com10"sv,
                          "communication"sv, "~"sv, "-rf"sv, "new/deep/er/folder/x"sv}) {
    const auto path = resolve_below(root_, name);
    ASSERT_TRUE(path) << name << ": " << path.error().text();
    EXPECT_EQ(*path, fs::canonical(root_) / name);
  }
}

// ledger: F15
TEST_F(SafePath, a_link_may_lead_about_inside_but_never_out) {
  fs::create_symlink("models", root_ / "inside");
  fs::create_symlink("../outside", root_ / "out");
  fs::create_symlink("/etc", root_ / "etc");
  fs::create_symlink("../outside/later", root_ / "dangling");
  fs::create_symlink("loop", root_ / "loop");
  EXPECT_EQ(resolve_below(root_, "inside/x.gguf").value(), fs::canonical(root_) / "models/x.gguf");
  for (const auto name : {"out", "out/x", "etc/passwd", "dangling", "loop", "loop/x", "inside/../out/x"})
    EXPECT_EQ(resolve_below(root_, name).error().code, Code::invalid_argument) << name;
}

TEST_F(SafePath, a_root_whose_name_begins_alike_is_outside) {
  fs::create_directories(folder_.path() / "root-of-others");
  fs::create_symlink("../root-of-others", root_ / "link");
  EXPECT_FALSE(resolve_below(root_, "link/x"));
  EXPECT_EQ(resolve_below(folder_.path() / "missing", "x").error().code, Code::not_found);
}

TEST_F(SafePath, a_root_that_is_a_link_itself_is_followed) {
  fs::create_symlink("root", folder_.path() / "link");
  EXPECT_EQ(resolve_below(folder_.path() / "link", "x").value(), fs::canonical(root_) / "x");
}

TEST(FileName, has_no_folder_in_it) {
  EXPECT_TRUE(check_file_name("model.gguf"));
  EXPECT_FALSE(check_file_name("a/b"));
  EXPECT_FALSE(check_file_name(".."));
}

}  // namespace
}  // namespace puna::os
