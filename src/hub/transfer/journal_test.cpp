#include "hub/transfer/journal.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "os/file.h"
#include "os/temporary_folder.h"

namespace puna::hub::transfer {
namespace {

Journal example() {
  Journal out{.id = "abc", .digest = "sha256:00", .version = {.etag = "\"v1\"", .total = 5 * kBlock}};
  out.present.add({0, kBlock});
  out.present.add({2 * kBlock, 2 * kBlock + 7});
  out.checksums = {0x0123456789abcdef, std::nullopt, 5};
  return out;
}

TEST(Journal, reads_what_it_writes) {
  EXPECT_EQ(decode_journal(encode_journal(example())), example());
  EXPECT_EQ(decode_journal(encode_journal(Journal{})), Journal{});
}

// ledger: M2
TEST(Journal, one_damaged_byte_costs_nothing) {
  const auto text = encode_journal(example());
  for (std::size_t at = 0; at < text.size(); ++at) {
    auto damaged = text;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    const auto read = decode_journal(damaged);
    if (read) EXPECT_EQ(*read, example()) << at;
    if (at < text.size() / 2 - 1) EXPECT_TRUE(read) << at;
  }
}

TEST(Journal, half_of_it_is_enough_and_less_is_nothing) {
  const auto text = encode_journal(example());
  EXPECT_EQ(decode_journal(text.substr(0, text.size() / 2)), example());
  for (std::size_t length = 0; length + 1 < text.size() / 2; ++length) EXPECT_EQ(decode_journal(text.substr(0, length)), std::nullopt);
}

TEST(RecentLog, tells_what_was_written_since_the_journal) {
  const auto folder = os::TemporaryFolder::create().value();
  const auto path = folder.path() / "x.recent";
  const auto log = RecentLog::create(path, "abc").value();
  ASSERT_TRUE(log.append({0, 10}));
  ASSERT_TRUE(log.append({20, 30}));
  EXPECT_EQ(RecentLog::read(path, "abc").text(), "0-10,20-30");
  EXPECT_TRUE(RecentLog::read(path, "abd").empty()) << "the log of another file";
}

TEST(RecentLog, stops_at_damage) {
  const auto folder = os::TemporaryFolder::create().value();
  const auto path = folder.path() / "x.recent";
  const auto log = RecentLog::create(path, "abc").value();
  for (std::uint64_t at = 0; at < 3; ++at) ASSERT_TRUE(log.append({at * 20, at * 20 + 10}));
  auto text = os::read_file(path, kib(4)).value();
  text[text.size() - 30] ^= 1;
  ASSERT_TRUE(os::write_file_atomic(path, text));
  EXPECT_EQ(RecentLog::read(path, "abc").text(), "0-10");
}

TEST(RecentLog, of_another_start_of_the_machine_is_not_believed) {
  const auto folder = os::TemporaryFolder::create().value();
  const auto path = folder.path() / "x.recent";
  ASSERT_TRUE(RecentLog::create(path, "abc").value().append({0, 10}));
  auto text = os::read_file(path, kib(4)).value();
  const auto boot = text.find("writes 1 ") + 9;
  text[boot] = text[boot] == '0' ? '1' : '0';
  ASSERT_TRUE(os::write_file_atomic(path, text));
  EXPECT_TRUE(RecentLog::read(path, "abc").empty());
}

}  // namespace
}  // namespace puna::hub::transfer
