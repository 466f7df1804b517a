#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "hub/pull_testing.h"
#include "hub/sha256.h"
#include "os/file.h"

namespace puna::hub {
namespace {

namespace fs = std::filesystem;
using namespace testing_rig;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

class FileSource : public PullTest {
 protected:
  fs::path write(std::string_view name, std::string_view bytes) {
    const auto path = folder.path() / name;
    EXPECT_TRUE(os::write_file_atomic(path, bytes));
    return path;
  }
};

TEST_F(FileSource, brings_a_local_file_into_the_library_and_leaves_it_where_it_is) {
  const auto path = write("Tiny-Q8_0.gguf", model_bytes(50));
  const auto result = start().pulled({.source = path});
  EXPECT_EQ(result.name, "tiny:q8_0");
  EXPECT_EQ(result.sha256, sha256_of(model_bytes(50)).value());
  EXPECT_EQ(rig->bytes_of("tiny"), model_bytes(50));
  EXPECT_EQ(rig->library.find("tiny")->source, path);
  EXPECT_TRUE(fs::exists(path));
  EXPECT_EQ(rig->pulled({.source = path}).change, PullChange::unchanged);
}

TEST_F(FileSource, understands_the_home_folder_and_file_urls) {
  ASSERT_EQ(::setenv("HOME", folder.path().c_str(), 1), 0);
  write("a b.gguf", model_bytes(1));
  EXPECT_EQ(start().pulled({.source = "~/a b.gguf"}).name, "a-b:latest");
  EXPECT_EQ(rig->pulled({.source = "file://" + (folder.path() / "a%20b.gguf").string()}).change, PullChange::unchanged);
}

// ledger: T11
TEST_F(FileSource, refuses_what_is_no_path_of_a_file) {
  start();
  const auto refusal = [&](std::string source) {
    const auto job = rig->pulls.submit(*rig->queue, {.source = std::move(source)});
    return job ? "accepted" : job.error().message;
  };
  EXPECT_THAT(refusal("model.gguf"), HasSubstr("relative path"));
  EXPECT_THAT(refusal("./model.gguf"), HasSubstr("relative path"));
  EXPECT_THAT(refusal("~someone/model.gguf"), HasSubstr("relative path"));
  EXPECT_THAT(refusal("/models/"), HasSubstr("names a folder"));
  EXPECT_THAT(refusal("file:///%zz.gguf"), HasSubstr("%"));
}

// ledger: T11
TEST_F(FileSource, refuses_what_is_no_file_without_waiting) {
  start();
  ASSERT_EQ(::mkfifo((folder.path() / "pipe.gguf").c_str(), 0600), 0);
  fs::create_directory(folder.path() / "folder.gguf");
  EXPECT_THAT(rig->refused({.source = folder.path() / "pipe.gguf"}).message, HasSubstr("not a regular file"));
  EXPECT_THAT(rig->refused({.source = folder.path() / "folder.gguf"}).message, HasSubstr("is a folder"));
  EXPECT_EQ(rig->refused({.source = folder.path() / "missing.gguf"}).code, "not_found");
}

// ledger: D14
TEST_F(FileSource, refuses_what_is_no_model) {
  const auto page = write("page.gguf", "<html>");
  const auto short_file = write("short.gguf", model_bytes(50).substr(0, 20'000));
  EXPECT_THAT(start().refused({.source = page}).message, AllOf(HasSubstr("a web page came"), HasSubstr(page.string())));
  EXPECT_EQ(rig->refused({.source = short_file}).code, "corrupt_data");
  EXPECT_EQ(rig->refused({.source = write("m.gguf", model_bytes(1)), .sha256 = std::string(64, '0')}).code, "corrupt_data");
  EXPECT_THAT(rig->blobs(), IsEmpty());
  EXPECT_TRUE(fs::exists(short_file));
}

}  // namespace
}  // namespace puna::hub
