// What a kill and a full disk cost.
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "hub/forked_testing.h"
#include "hub/pull_testing.h"
#include "os/file.h"

namespace puna::hub {
namespace {

using namespace testing_rig;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::uint64_t kHeldAfter = 3'000'000;

void wait_to_be_killed() {
  while (true) ::pause();
}

// ledger: M2
TEST(KilledPull, asks_only_for_what_was_not_there_yet) {
  const auto folder = os::TemporaryFolder::create().value();
  ForkedChild child([&](const std::string& url, const ForkedChild::Tell& tell) {
    Rig rig(folder.path(), quick_settings());
    tell(rig.submit({.source = url}).id);
    rig.await([](const wire::Job& job) { return job.progress.done == kHeldAfter; });
    tell("held");
    wait_to_be_killed();
  });
  fakes::FileServer server;
  server.serve("/model.gguf", fakes::File::of(model_bytes(5000)));
  server.fault({.hold_after = kHeldAfter});
  child.give(server.url("/model.gguf"));
  const auto id = child.told();
  ASSERT_EQ(child.told(), "held");
  child.kill();

  Rig rig(folder.path(), quick_settings());
  EXPECT_EQ(rig.ended({.id = id}).state, wire::JobState::completed);
  EXPECT_EQ(rig.bytes_of("model"), model_bytes(5000));
  EXPECT_EQ(server.requests().back().range, fmt::format("bytes={}-", kHeldAfter));
  EXPECT_EQ(server.body_bytes(), model_bytes(5000).size());
}

// Gives the calling process a small file system of its own; false where that is not allowed.
bool enter_small_disk(const std::filesystem::path& at) {
  const auto uid_map = fmt::format("0 {} 1", ::getuid());
  const auto gid_map = fmt::format("0 {} 1", ::getgid());
  const auto put = [](const char* file, std::string_view text) {
    const os::UniqueFd descriptor(::open(file, O_WRONLY | O_CLOEXEC));
    return descriptor && os::write_all(descriptor.get(), text).has_value();
  };
  std::filesystem::create_directories(at);
  return ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && put("/proc/self/setgroups", "deny") && put("/proc/self/uid_map", uid_map) &&
         put("/proc/self/gid_map", gid_map) && ::mount("tmpfs", at.c_str(), "tmpfs", 0, "size=2m") == 0;
}

std::string outcome(const wire::Job& job) {
  return job.failure ? job.failure->code + ": " + job.failure->message : "completed";
}

TEST(FullDisk, keeps_what_came_and_says_how_much_room_is_missing) {
  const auto folder = os::TemporaryFolder::create().value();
  const auto cache = folder.path() / "cache";
  ForkedChild child([&](const std::string& url, const ForkedChild::Tell& tell) {
    if (!enter_small_disk(cache)) return tell("not allowed");
    Rig rig(folder.path(), quick_settings());
    tell(outcome(rig.pull({.source = url})));
    ::mount("tmpfs", cache.c_str(), "tmpfs", MS_REMOUNT, "size=64m");
    tell(outcome(rig.pull({.source = url})));
    wait_to_be_killed();
  });
  fakes::FileServer server;
  server.serve("/model.gguf", fakes::File::of(model_bytes(5000)));
  server.fault({.whole = true, .without_length = true});  // so that nobody can know beforehand
  child.give(server.url("/model.gguf"));
  const auto first = child.told();
  if (first == "not allowed") GTEST_SKIP() << "this system gives no file system to a test";
  EXPECT_THAT(first, AllOf(StartsWith("disk_full: "), HasSubstr("MiB came"), HasSubstr("is free"), HasSubstr("what came is kept")));
  EXPECT_EQ(child.told(), "completed");
  EXPECT_THAT(server.requests().back().range, AllOf(StartsWith("bytes="), testing::Ne("bytes=0-")));
}

TEST(FullDisk, is_known_before_the_first_byte_when_the_size_is) {
  const auto folder = os::TemporaryFolder::create().value();
  fakes::FileServer server;
  server.serve("/model.gguf",
               {.read = [](std::uint64_t, std::size_t) { return std::string("GGUF"); }, .size = 1ull << 60, .last_modified = {}});
  Rig rig(folder.path(), quick_settings());
  const auto failure = rig.refused({.source = server.url("/model.gguf")});
  EXPECT_EQ(failure.code, "disk_full");
  EXPECT_THAT(failure.message, AllOf(HasSubstr("needs"), HasSubstr("is free")));
  EXPECT_TRUE(rig.downloads().empty());
}

}  // namespace
}  // namespace puna::hub
