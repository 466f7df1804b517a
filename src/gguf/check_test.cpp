#include "gguf/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gguf/raw_file.h"
#include "os/file.h"
#include "os/temporary_folder.h"

namespace puna::gguf {
namespace {

using testing::HasSubstr;

Result<> check_bytes(const RawFile& file) {
  auto outcome = Header::parse(file.span(), Bytes(file.bytes().size()));
  if (!outcome) return fail(std::move(outcome).error());
  return check(std::get<Header>(*outcome));
}

RawFile file_with(std::initializer_list<RawTensor> tensors) {
  RawFile file;
  file.preamble(tensors.size(), 1).architecture();
  for (const auto& tensor : tensors) file.tensor(tensor);
  return file;
}

TEST(Check, accepts_tensors_that_lie_one_after_the_other) {
  EXPECT_TRUE(check_bytes(file_with({{.name = "a", .shape = {3}}, {.name = "b", .offset = 32}}).data(32 + 128)));
  EXPECT_TRUE(check_bytes(file_with({{.name = "last without padding", .shape = {3}}}).data(12)));
}

TEST(Check, a_file_that_was_cut_off_says_by_how_much) {
  const auto cut =
      check_bytes(file_with({{.name = "a"}, {.name = "blk.0.attn_q.weight", .shape = {32, 64}, .offset = 128}}).data(128 + 4096));
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, Code::corrupt_data);
  EXPECT_THAT(cut.error().message, HasSubstr("tensor 'blk.0.attn_q.weight' ends 4096 bytes after the end of the file"));
  EXPECT_FALSE(check_bytes(file_with({{.name = "a"}}).data(127)));
  EXPECT_FALSE(check_bytes(file_with({{.name = "a"}})));
}

TEST(Check, tensors_in_the_wrong_place_are_refused_by_name) {
  const RawTensor first{.name = "first"};
  struct Misplaced {
    RawTensor second;
    const char* fault;
  };
  for (const auto& [second, fault] : {Misplaced{{.name = "first", .offset = 128}, "two tensors are named 'first'"},
                                      Misplaced{{.name = "second", .offset = 96}, "tensor 'second' overlaps tensor 'first'"},
                                      Misplaced{{.name = "second", .offset = 0}, "tensor 'second' overlaps tensor 'first'"},
                                      Misplaced{{.name = "second", .offset = 160}, "tensor 'second' begins 32 bytes too late"},
                                      Misplaced{{.name = "second", .offset = 132}, "no multiple of 32"},
                                      Misplaced{{.name = "second", .offset = ~0ULL - 31}, "bytes too late"},
                                      Misplaced{{.name = "", .offset = 128}, "a tensor has no name"}}) {
    const auto checked = check_bytes(file_with({first, second}).data(1024));
    ASSERT_FALSE(checked) << fault;
    EXPECT_EQ(checked.error().code, Code::corrupt_data);
    EXPECT_THAT(checked.error().message, HasSubstr(fault));
  }
}

TEST(Check, obeys_the_alignment_that_the_file_states) {
  RawFile file;
  file.preamble(2, 2).architecture().key("general.alignment", ValueType::u32).number<std::uint32_t>(64);
  file.tensor({.name = "a", .shape = {3}}).tensor({.name = "b", .shape = {3}, .offset = 64}).data(64 + 12, 64);
  EXPECT_TRUE(check_bytes(file));
}

TEST(Check, a_model_names_its_architecture) {
  EXPECT_THAT(check_bytes(RawFile().preamble(1, 0).tensor({}).data(128)).error().message, HasSubstr("names no architecture"));
  EXPECT_FALSE(check_bytes(RawFile().preamble(1, 1).architecture("").tensor({}).data(128)));
  EXPECT_FALSE(
      check_bytes(RawFile().preamble(1, 1).key("general.architecture", ValueType::u8).number<std::uint8_t>(1).tensor({}).data(128)));
}

TEST(Check, a_model_has_tensors) {
  EXPECT_THAT(check_bytes(RawFile().preamble(0, 1).architecture()).error().message, HasSubstr("no tensors"));
}

TEST(Check, a_later_part_of_a_split_model_needs_no_metadata_of_its_own) {
  RawFile first;
  first.preamble(0, 3).architecture().key("split.no", ValueType::u16).number<std::uint16_t>(0);
  first.key("split.count", ValueType::u16).number<std::uint16_t>(2);
  EXPECT_TRUE(check_bytes(first));
  RawFile second;
  second.preamble(1, 1).key("split.no", ValueType::u16).number<std::uint16_t>(1).tensor({}).data(128);
  EXPECT_TRUE(check_bytes(second));
}

TEST(Check, a_fault_on_disk_names_the_file) {
  const auto folder = os::TemporaryFolder::create().value();
  const auto path = folder.path() / "model.gguf";
  ASSERT_TRUE(os::write_file_atomic(path, file_with({{.name = "a"}}).data(128).bytes()));
  EXPECT_TRUE(check(path));
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 28);
  EXPECT_EQ(check(path).error().text(),
            "model.gguf: tensor 'a' ends 28 bytes after the end of the file: it was cut off, or did not arrive whole");
}

}  // namespace
}  // namespace puna::gguf
