// What is thrown on the way ends the transfer, and nothing waits for it.
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <new>
#include <stdexcept>

#include "hub/transfer/engine_testing.h"
#include "hub/transfer/forked_testing.h"

namespace puna::hub::transfer {
namespace {

using namespace testing_rig;
using testing::HasSubstr;

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PUNA_TEST_WITHOUT_MEMORY_LIMIT 1
#endif
#endif

TEST_F(EngineTest, what_the_search_for_a_location_throws_ends_the_fetch) {
  auto wanted = serve(noise(1000));
  const auto good = wanted;
  wanted.locate = [](Why, const std::stop_token&) -> Result<Location> { throw std::runtime_error("the catalogue broke"); };
  EXPECT_THAT(refusal_of(wanted).text(), HasSubstr("the catalogue broke"));
  expect_brought(good);
}

TEST_F(EngineTest, what_the_look_at_a_beginning_throws_ends_the_fetch) {
  auto wanted = serve(noise(500'000));
  const auto good = wanted;
  wanted.begins_right = [](std::string_view, std::string_view) -> Result<> { throw std::bad_alloc(); };
  const auto error = refusal_of(wanted);
  EXPECT_EQ(error.code, Code::out_of_memory);
  EXPECT_THAT(error.text(), HasSubstr("owner/repo/f.gguf"));
  expect_brought(good);
}

TEST_F(EngineTest, what_a_listener_throws_ends_its_fetch_and_nobody_elses) {
  const auto wanted = serve(noise(500'000));
  start();
  const Ask ask{.stop = {}, .target = {}, .progress = [](const Progress&) { throw std::runtime_error("the listener broke"); }};
  const auto fetched = rig->engine.fetch({wanted}, ask);
  ASSERT_FALSE(fetched);
  EXPECT_THAT(fetched.error().text(), HasSubstr("the listener broke"));
  expect_brought(wanted);
}

std::size_t address_space_in_use() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// A journal of 64 MiB, which is more than an allocator keeps ready, and room for half of that.
TEST(MemoryThatRunsOut, ends_the_fetch_instead_of_hanging_it) {
#ifdef PUNA_TEST_WITHOUT_MEMORY_LIMIT
  GTEST_SKIP() << "a sanitizer needs more address space than a limit leaves";
#endif
  const auto folder = os::TemporaryFolder::create().value();
  ForkedChild child([&](const std::string&, const ForkedChild::Tell& tell) {
    Rig rig(folder.path(), quick_settings());
    Wanted wanted{.key = "f", .shown = "f.gguf", .size = {}, .digest = {}, .locate = {}};
    wanted.locate = [](Why, const std::stop_token&) -> Result<Location> { return fail(Code::not_found, "the search went on"); };
    EXPECT_FALSE(rig.fetch_one(wanted));  // its threads have their stacks from now on
    std::ofstream(folder.path() / "downloads" / "f.journal") << "x";
    std::filesystem::resize_file(folder.path() / "downloads" / "f.journal", 64 << 20);
    const rlimit limit{.rlim_cur = address_space_in_use() + (30 << 20), .rlim_max = RLIM_INFINITY};
    ::setrlimit(RLIMIT_AS, &limit);
    const auto refused = rig.fetch_one(wanted);
    const rlimit none{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    ::setrlimit(RLIMIT_AS, &none);
    tell(refused ? "complete" : refused.error().text());
    tell(rig.fetch_one(wanted).error().text());
  });
  child.give("");
  EXPECT_THAT(child.told(), HasSubstr("memory ran out"));
  EXPECT_THAT(child.told(), HasSubstr("the search went on"));
}

}  // namespace
}  // namespace puna::hub::transfer
