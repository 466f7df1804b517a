// What disks that do not take what comes cost: full ones, read-only ones, ones with limits.
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>

#include "hub/transfer/engine_testing.h"
#include "hub/transfer/forked_testing.h"
#include "os/file.h"

namespace puna::hub::transfer {
namespace {

using namespace testing_rig;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

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

std::string outcome(const Result<Arrived>& arrived) {
  return arrived ? "complete" : fmt::format("{}: {}", to_string(arrived.error().code), arrived.error().text());
}

// ledger: F6
TEST(FullDisk, keeps_what_came_and_says_how_much_room_is_missing) {
  const auto folder = os::TemporaryFolder::create().value();
  ForkedChild child([&](const std::string& url, const ForkedChild::Tell& tell) {
    if (!enter_small_disk(folder.path() / "downloads")) return tell("not allowed");
    Rig rig(folder.path(), quick_settings());
    Wanted wanted{.key = "f", .shown = "f.gguf", .size = {}, .digest = {}, .locate = {}};
    wanted.locate = [&](Why, const std::stop_token&) -> Result<Location> {
      return Location{.url = net::Url::parse(url).value(), .headers = {}};
    };
    tell(outcome(rig.fetch_one(wanted)));
    ::mount("tmpfs", (folder.path() / "downloads").c_str(), "tmpfs", MS_REMOUNT, "size=64m");
    const auto arrived = rig.fetch_one(wanted);
    tell(arrived ? arrived->sha256 : outcome(arrived));
    while (true) ::pause();
  });
  const auto bytes = noise(5'000'000);
  fakes::FileServer server;
  server.serve("/f", fakes::File::of(bytes));
  server.fault({.whole = true, .without_length = true});  // so that nobody can know beforehand
  child.give(server.url("/f"));
  const auto first = child.told();
  if (first == "not allowed") GTEST_SKIP() << "this system gives no file system to a test";
  EXPECT_THAT(first,
              AllOf(StartsWith("disk_full: "), HasSubstr("MiB of f.gguf came"), HasSubstr("is free"), HasSubstr("what came is kept")));
  EXPECT_EQ(child.told(), sha256(bytes).hex);
  const auto asked = server.requests();
  EXPECT_EQ(std::ranges::count_if(asked, [](const auto& seen) { return seen.range.starts_with("bytes=0-"); }), 1);
}

// ledger: F6
TEST(ReadOnlyDisk, is_named_before_anything_is_asked) {
  const auto folder = os::TemporaryFolder::create().value();
  ForkedChild child([&](const std::string&, const ForkedChild::Tell& tell) {
    const auto downloads = folder.path() / "downloads";
    if (!enter_small_disk(downloads)) return tell("not allowed");
    Rig rig(folder.path(), quick_settings());
    ::mount("tmpfs", downloads.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr);
    Wanted wanted{.key = "f", .shown = "f.gguf", .size = Bytes(1000), .digest = {}, .locate = {}};
    wanted.locate = [](Why, const std::stop_token&) -> Result<Location> { return fail(Code::internal, "it was asked for"); };
    tell(outcome(rig.fetch_one(wanted)));
  });
  child.give("");
  const auto said = child.told();
  if (said == "not allowed") GTEST_SKIP() << "this system gives no file system to a test";
  EXPECT_THAT(said, AllOf(StartsWith("permission_denied: "), HasSubstr("can only be read")));
}

// The write at the limit is a short one, the next is refused: what FAT32 does at 4 GiB.
TEST(LimitOfAFile, is_named_and_what_came_before_it_is_kept) {
  constexpr rlim_t kLimit = 3'000'001;
  const auto folder = os::TemporaryFolder::create().value();
  ForkedChild child([&](const std::string& url, const ForkedChild::Tell& tell) {
    ::signal(SIGXFSZ, SIG_IGN);
    Rig rig(folder.path(), quick_settings());
    Wanted wanted{.key = "f", .shown = "f.gguf", .size = {}, .digest = {}, .locate = {}};
    wanted.locate = [&](Why, const std::stop_token&) -> Result<Location> {
      return Location{.url = net::Url::parse(url).value(), .headers = {}};
    };
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    const auto without = limit;
    limit.rlim_cur = kLimit;
    ::setrlimit(RLIMIT_FSIZE, &limit);
    tell(outcome(rig.fetch_one(wanted)));
    ::setrlimit(RLIMIT_FSIZE, &without);
    const auto arrived = rig.fetch_one(wanted);
    tell(arrived ? arrived->sha256 : outcome(arrived));
  });
  const auto bytes = noise(5'000'000);
  fakes::FileServer server;
  server.serve("/f", fakes::File::of(bytes));
  server.fault({.whole = true, .without_length = true});  // so that the limit is met on the way
  child.give(server.url("/f"));
  EXPECT_THAT(child.told(), AllOf(StartsWith("unsupported: "), HasSubstr("as large as this")));
  EXPECT_EQ(child.told(), sha256(bytes).hex);
  const auto asked = server.requests();
  EXPECT_EQ(std::ranges::count_if(asked, [](const auto& seen) { return seen.range.starts_with("bytes=0-"); }), 1);
}

}  // namespace
}  // namespace puna::hub::transfer
