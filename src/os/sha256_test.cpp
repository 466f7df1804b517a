#include "os/sha256.h"

#include <gtest/gtest.h>

#include "os/file.h"
#include "os/temporary_folder.h"

namespace puna::os {
namespace {

// FIPS 180-4's example.
constexpr auto kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Sha256, gives_the_digest_of_the_standards_example) {
  EXPECT_EQ(sha256_of("abc").value(), kAbc);
}

TEST(Sha256, tells_the_digest_so_far_and_goes_on) {
  Sha256 hash;
  hash.update("a");
  EXPECT_EQ(hash.hex().value(), sha256_of("a").value());
  hash.update("bc");
  EXPECT_EQ(hash.hex().value(), kAbc);
}

TEST(Sha256, reads_only_the_asked_part_of_a_file) {
  const auto folder = os::TemporaryFolder::create().value();
  ASSERT_TRUE(os::write_file_atomic(folder.path() / "f", "abcdef"));
  auto file = os::open_regular_file(folder.path() / "f");
  ASSERT_TRUE(file);
  Sha256 hash;
  Bytes seen;
  ASSERT_TRUE(hash_file(hash, file->get(), Bytes(0), Bytes(3), {}, [&](Bytes at) { seen = at; }));
  EXPECT_EQ(hash.hex().value(), kAbc);
  EXPECT_EQ(seen, Bytes(3));
  EXPECT_EQ(hash_file(hash, file->get(), Bytes(3), Bytes(7), {}).error().code, Code::corrupt_data);
}

TEST(Sha256, stops_when_asked) {
  const auto folder = os::TemporaryFolder::create().value();
  ASSERT_TRUE(os::write_file_atomic(folder.path() / "f", "abcdef"));
  auto file = os::open_regular_file(folder.path() / "f");
  ASSERT_TRUE(file);
  std::stop_source stop;
  stop.request_stop();
  Sha256 hash;
  EXPECT_EQ(hash_file(hash, file->get(), Bytes(0), Bytes(3), stop.get_token()).error().code, Code::cancelled);
}

TEST(Sha256, understands_digests_as_people_write_them) {
  EXPECT_EQ(parse_sha256(" SHA256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD ").value(), kAbc);
  EXPECT_EQ(parse_sha256("ba7816bf").error().code, Code::invalid_argument);
  EXPECT_EQ(parse_sha256(std::string(64, 'g')).error().code, Code::invalid_argument);
}

}  // namespace
}  // namespace puna::os
