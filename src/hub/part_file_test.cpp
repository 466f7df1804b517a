#include "hub/part_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "os/file.h"
#include "os/temporary_folder.h"

namespace puna::hub {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const FileVersion kVersion{.etag = "\"a\"", .last_modified = {}, .total = 10};

class PartFiles : public testing::Test {
 protected:
  PartFile open() {
    auto part = PartFile::open(folder_.path(), "key");
    EXPECT_TRUE(part);
    return std::move(*part);
  }
  PartFile recovered() {
    auto part = open();
    EXPECT_TRUE(part.recover({}));
    return part;
  }
  // Leaves `durable` in the journal and `more` beyond it, as a kill would.
  void leave(std::string_view durable, std::string_view more = {}) {
    auto part = open();
    ASSERT_TRUE(part.begin(kVersion));
    ASSERT_TRUE(part.append(durable));
    ASSERT_TRUE(part.checkpoint());
    ASSERT_TRUE(part.append(more));
  }
  void change_journal(std::string_view from, std::string_view to) {
    auto text = os::read_file(journal(), kib(64)).value();
    const auto at = text.find(from);
    ASSERT_NE(at, std::string::npos) << text;
    ASSERT_TRUE(os::write_file_atomic(journal(), text.replace(at, from.size(), to)));
  }
  fs::path bytes() const { return folder_.path() / "key.part"; }
  fs::path journal() const { return folder_.path() / "key.json"; }

  os::TemporaryFolder folder_ = os::TemporaryFolder::create().value();
};

// ledger: M2
TEST_F(PartFiles, a_killed_transfer_goes_on_where_it_was) {
  leave("GGUF", "12");
  auto part = recovered();
  EXPECT_EQ(part.received(), Bytes(6));
  EXPECT_EQ(part.version(), kVersion);
  ASSERT_TRUE(part.append("3456"));
  EXPECT_EQ(part.sha256().value(), sha256_of("GGUF123456").value());
}

TEST_F(PartFiles, after_a_restart_of_the_machine_only_what_was_synced_counts) {
  leave("GGUF", "12");
  const auto boot = os::read_file("/proc/sys/kernel/random/boot_id", kib(1)).value();
  change_journal(boot.substr(0, 8), "00000000");
  auto part = recovered();
  EXPECT_EQ(part.received(), Bytes(4));
  EXPECT_EQ(fs::file_size(bytes()), 4u);
}

// ledger: D14
TEST_F(PartFiles, damaged_bytes_are_thrown_away) {
  leave("GGUF");
  std::ofstream(bytes(), std::ios::in | std::ios::out) << "X";
  EXPECT_EQ(recovered().received(), Bytes(0));
}

TEST_F(PartFiles, bytes_without_a_readable_journal_are_thrown_away) {
  for (const std::string_view text : {"", "{", "{\"format\":2}", "[]"}) {
    leave("GGUF");
    ASSERT_TRUE(os::write_file_atomic(journal(), text));
    EXPECT_EQ(recovered().received(), Bytes(0)) << text;
  }
  leave("GGUF");
  fs::remove(journal());
  EXPECT_EQ(recovered().received(), Bytes(0));
  EXPECT_EQ(fs::file_size(bytes()), 0u);
}

TEST_F(PartFiles, a_journal_that_claims_more_than_there_is_is_not_believed) {
  leave("GGUF");
  fs::resize_file(bytes(), 2);
  EXPECT_EQ(recovered().received(), Bytes(0));
}

TEST_F(PartFiles, a_checkpoint_follows_when_enough_came) {
  auto part = PartFile::open(folder_.path(), "key", {.bytes = Bytes(4), .time = kForever}).value();
  ASSERT_TRUE(part.begin(kVersion));
  ASSERT_TRUE(part.append("GGU"));
  EXPECT_THAT(os::read_file(journal(), kib(64)).value(), HasSubstr("\"received\": 0"));
  ASSERT_TRUE(part.append("F"));
  EXPECT_THAT(os::read_file(journal(), kib(64)).value(), HasSubstr("\"received\": 4"));
}

TEST_F(PartFiles, a_receipt_remains_of_a_completed_transfer) {
  leave("GGUF");
  ASSERT_TRUE(recovered().leave_receipt());
  EXPECT_FALSE(fs::exists(bytes()));
  auto part = recovered();
  EXPECT_EQ(part.received(), Bytes(0));
  const auto receipt = part.receipt().value_or(PartFile::Receipt{});
  EXPECT_EQ(receipt.version, kVersion);
  EXPECT_EQ(receipt.sha256, sha256_of("GGUF").value());
}

TEST_F(PartFiles, nothing_remains_of_a_discarded_transfer) {
  leave("GGUF");
  ASSERT_TRUE(recovered().discard());
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(PartFiles, belongs_to_one_owner_at_a_time) {
  auto part = open();
  const auto second = PartFile::open(folder_.path(), "key");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
}

TEST_F(PartFiles, reserves_its_room_and_counts_it) {
  auto part = open();
  ASSERT_TRUE(part.begin({.total = mib(1).count}));
  EXPECT_EQ(part.missing_room(mib(1)), Bytes(0));
  EXPECT_GE(part.missing_room(mib(3)), mib(1));
  EXPECT_EQ(fs::file_size(bytes()), 0u);
  const auto refused = part.begin({.total = 1ull << 62});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text(), HasSubstr("cannot reserve"));
}

}  // namespace
}  // namespace puna::hub
