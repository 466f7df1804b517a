#include "worker/warmth/saved_states.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <numeric>

#include "os/file.h"
#include "os/temporary_folder.h"

namespace puna::worker {
namespace {

namespace fs = std::filesystem;

const std::string kKey(64, 'a');
const std::string kOtherKey(64, 'b');

std::vector<std::int32_t> tokens(int first, int count) {
  std::vector<std::int32_t> out(static_cast<std::size_t>(count));
  std::iota(out.begin(), out.end(), first);
  return out;
}

class States : public ::testing::Test {
 protected:
  std::unique_ptr<SavedStates> open(const std::string& key = kKey, Bytes limit = mib(1)) {
    return SavedStates::open({.folder = folder_.path() / "warm" / "model", .key = key, .limit = limit}).value();
  }
  fs::path state_of(std::string_view bytes) {
    std::ofstream(folder_.path() / "state", std::ios::binary) << bytes;
    return folder_.path() / "state";
  }
  static std::string bytes_of(Result<os::MemoryFile> memory) {
    return memory ? os::read_file(memory->path(), mib(1)).value() : memory.error().message;
  }
  std::vector<fs::path> files() {
    std::vector<fs::path> out;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path() / "warm"))
      if (entry.is_regular_file()) out.push_back(entry.path());
    return out;
  }
  os::TemporaryFolder folder_ = os::TemporaryFolder::create().value();
};

TEST_F(States, come_back_to_whoever_has_the_same_key) {
  const auto name = open()->add({tokens(0, 10), ""}, state_of("keys and values")).value();
  auto again = open();
  EXPECT_EQ(again->best(tokens(0, 20), "")->common, 10u);
  EXPECT_EQ(bytes_of(again->read(name)), "keys and values");
  EXPECT_FALSE(open(kOtherKey)->best(tokens(0, 10), "").has_value());
}

TEST_F(States, are_found_by_the_longest_common_beginning) {
  auto states = open();
  auto fork = tokens(0, 8);
  fork.push_back(99);
  const auto longer = states->add({tokens(0, 10), ""}, state_of("a")).value();
  const auto forked = states->add({fork, ""}, state_of("b")).value();
  EXPECT_EQ(states->best(tokens(0, 12), "")->name, longer);
  EXPECT_EQ(states->best(fork, "")->name, forked);
  EXPECT_EQ(states->best(tokens(0, 4), "")->name, forked);  // the shorter one is read sooner
  EXPECT_FALSE(states->best(tokens(5, 4), ""));
}

TEST_F(States, of_one_set_of_adapters_are_nothing_to_another) {
  auto states = open();
  states->add({tokens(0, 10), "x:1"}, state_of("with x")).value();
  EXPECT_FALSE(states->best(tokens(0, 10), ""));
  EXPECT_FALSE(states->best(tokens(0, 10), "x:0.5"));
  EXPECT_TRUE(states->best(tokens(0, 10), "x:1"));
  EXPECT_FALSE(states->covering({tokens(0, 10), ""}));
}

TEST_F(States, that_a_longer_one_goes_on_from_are_removed) {
  auto states = open();
  states->add({tokens(0, 10), ""}, state_of("a")).value();
  states->add({tokens(0, 15), ""}, state_of("b")).value();
  EXPECT_EQ(files().size(), 1u);
  EXPECT_EQ(states->covering({tokens(0, 20), ""})->common, 15u);
  EXPECT_EQ(states->covering({tokens(0, 5), ""})->common, 5u);
}

TEST_F(States, least_recently_used_go_first_in_all_models_folders) {
  const std::string large(1000, 'x');
  const Bytes room = kib(3);
  auto other = SavedStates::open({.folder = folder_.path() / "warm" / "other", .key = kKey, .limit = room}).value();
  auto states = open(kKey, room);
  const auto old = other->add({tokens(0, 3), ""}, state_of(large)).value();
  const auto used = states->add({tokens(5, 3), ""}, state_of(large)).value();
  fs::last_write_time(folder_.path() / "warm" / "other" / old, fs::file_time_type::clock::now() - std::chrono::hours(2));
  fs::last_write_time(folder_.path() / "warm" / "model" / used, fs::file_time_type::clock::now() - std::chrono::hours(3));
  EXPECT_EQ(bytes_of(states->read(used)), large);  // now the other one is older
  states->add({tokens(9, 3), ""}, state_of(large)).value();
  EXPECT_EQ(bytes_of(states->read(used)), large);
  EXPECT_FALSE(fs::exists(folder_.path() / "warm" / "other" / old));
  EXPECT_EQ(states->add({tokens(20, 3), ""}, state_of(std::string(4000, 'x'))).error().code, Code::too_large);
}

// ledger: T14
TEST_F(States, can_be_read_by_their_user_only) {
  open()->add({tokens(0, 10), ""}, state_of("a")).value();
  struct stat info{};
  ASSERT_EQ(::stat(files().front().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  ASSERT_EQ(::stat(files().front().parent_path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
}

TEST_F(States, that_are_torn_are_not_used_and_removed) {
  const auto spoil = [](const fs::path& file, std::streamoff at) {
    std::fstream(file, std::ios::binary | std::ios::in | std::ios::out).seekp(at).put('?');
  };
  const std::string bytes(500, 'x');
  for (const bool early : {true, false}) {
    auto states = open();
    const auto name = states->add({tokens(0, 10), ""}, state_of(bytes)).value();
    const auto size = static_cast<std::streamoff>(fs::file_size(files().front()));
    spoil(files().front(), early ? 80 : size - 10);
    EXPECT_EQ(states->read(name).error().code, Code::corrupt_data);
    EXPECT_TRUE(files().empty());
    EXPECT_FALSE(states->best(tokens(0, 10), ""));
  }
  open()->add({tokens(0, 10), ""}, state_of(bytes)).value();
  fs::resize_file(files().front(), fs::file_size(files().front()) - 1);
  EXPECT_FALSE(open()->best(tokens(0, 10), ""));
  EXPECT_TRUE(files().empty());
}

TEST_F(States, pass_through_the_cipher_on_both_ways) {
  StatesPlace place{.folder = folder_.path() / "warm" / "model", .key = kKey, .limit = mib(1)};
  place.cipher = [](std::span<std::byte> bytes, std::uint64_t offset) {
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] ^= static_cast<std::byte>(offset + i + 7);
  };
  auto states = SavedStates::open(place).value();
  const auto name = states->add({tokens(0, 10), ""}, state_of("keys and values")).value();
  EXPECT_EQ(os::read_file(files().front(), mib(1))->find("keys and"), std::string::npos);
  EXPECT_EQ(bytes_of(states->read(name)), "keys and values");
}

}  // namespace
}  // namespace puna::worker
