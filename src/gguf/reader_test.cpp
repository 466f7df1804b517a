#include "gguf/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gguf/raw_file.h"
#include "gguf/writer.h"
#include "os/file.h"
#include "os/temporary_folder.h"

namespace puna::gguf {
namespace {

using testing::HasSubstr;

Result<Header> parse(std::span<const std::byte> file) {
  auto outcome = Header::parse(file, Bytes(file.size()));
  if (!outcome) return fail(std::move(outcome).error());
  EXPECT_TRUE(std::holds_alternative<Header>(*outcome)) << "a whole file cannot need more";
  return std::get<Header>(std::move(*outcome));
}

RawFile one_of_each() {
  RawFile file;
  file.preamble(2, 4).architecture();
  file.key("llama.context_length", ValueType::u32).number<std::uint32_t>(4096);
  file.key("tokenizer.ggml.tokens", ValueType::array)
      .number(ValueType::string)
      .number<std::uint64_t>(2)
      .text("<s>")
      .text("\xE2\x96\x81the");
  file.key("tokenizer.ggml.scores", ValueType::array).number(ValueType::f32).number<std::uint64_t>(2).number(0.5F).number(-1.0F);
  file.tensor({.name = "token_embd.weight", .shape = {32, 2}, .type = 8});
  file.tensor({.name = "output_norm.weight", .shape = {32}, .offset = 96});
  return file;
}

TEST(Reader, reads_metadata_and_tensors) {
  const auto file = one_of_each().data(96 + 128);
  const Header header = parse(file.span()).value();
  EXPECT_EQ(header.version(), 3u);
  EXPECT_EQ(header.text("general.architecture"), "llama");
  EXPECT_EQ(header.integer("llama.context_length"), 4096u);
  EXPECT_EQ(std::get<std::vector<std::string>>(*header.find("tokenizer.ggml.tokens")).at(1), "\xE2\x96\x81the");
  EXPECT_EQ(header.array_size("tokenizer.ggml.scores"), 2u);
  ASSERT_EQ(header.tensors().size(), 2u);
  EXPECT_EQ(header.tensors()[0].type, TensorType::q8_0);
  EXPECT_EQ(header.tensors()[0].shape, (std::vector<std::uint64_t>{32, 2}));
  EXPECT_EQ(header.tensors()[0].size, Bytes(68));
  EXPECT_EQ(header.tensors()[1].offset, 96u);
  EXPECT_EQ(header.data_offset() + 96 + 128, file.bytes().size());
}

TEST(Reader, a_value_of_another_kind_is_absent) {
  RawFile file;
  file.preamble(0, 3).architecture();
  file.key("negative", ValueType::i32).number<std::int32_t>(-1);
  file.key("flag", ValueType::boolean).number<std::uint8_t>(1);
  const Header header = parse(file.span()).value();
  EXPECT_EQ(header.integer("general.architecture"), std::nullopt);
  EXPECT_EQ(header.integer("negative"), std::nullopt);
  EXPECT_EQ(header.number("negative"), -1.0);
  EXPECT_EQ(header.boolean("flag"), true);
  EXPECT_EQ(header.integer("flag"), std::nullopt);
  EXPECT_EQ(header.text("missing"), std::nullopt);
  EXPECT_EQ(header.array_size("general.architecture"), 0u);
}

TEST(Reader, version_2_is_read_as_well) {
  RawFile file;
  EXPECT_EQ(parse(file.preamble(0, 1, 2).architecture().span()).value().version(), 2u);
}

TEST(Reader, a_file_cut_off_anywhere_is_refused) {
  const RawFile file = one_of_each();
  for (std::size_t length = 0; length < file.bytes().size(); ++length) {
    const std::string cut = file.bytes().substr(0, length);
    const auto header = parse(std::as_bytes(std::span(cut)));
    ASSERT_FALSE(header) << length;
    EXPECT_EQ(header.error().code, Code::corrupt_data) << length;
  }
}

TEST(Reader, a_prefix_that_is_too_short_says_how_much_it_needs) {
  const auto file = one_of_each().data(96 + 128);
  const std::size_t header_size = one_of_each().bytes().size();
  for (std::size_t length = 0; length < header_size; ++length) {
    const auto outcome = Header::parse(file.span().first(length), Bytes(file.bytes().size())).value();
    ASSERT_TRUE(std::holds_alternative<NeedsMore>(outcome)) << length;
    EXPECT_GT(std::get<NeedsMore>(outcome).bytes, length);
    EXPECT_LE(std::get<NeedsMore>(outcome).bytes, header_size);
  }
  EXPECT_TRUE(std::holds_alternative<Header>(Header::parse(file.span().first(header_size), Bytes(file.bytes().size())).value()));
}

TEST(Reader, a_header_larger_than_the_first_read_is_read) {
  const auto folder = os::TemporaryFolder::create().value();
  Writer writer;
  writer.set("tokenizer.ggml.tokens", std::vector<std::string>(300'000, "a token"));
  ASSERT_TRUE(writer.write(folder.path() / "big.gguf"));
  EXPECT_EQ(Header::read_file(folder.path() / "big.gguf").value().array_size("tokenizer.ggml.tokens"), 300'000u);
}

TEST(Reader, a_fault_in_a_file_names_the_file) {
  const auto folder = os::TemporaryFolder::create().value();
  ASSERT_TRUE(os::write_file_atomic(folder.path() / "page.gguf", "<!doctype html>"));
  const auto header = Header::read_file(folder.path() / "page.gguf");
  ASSERT_FALSE(header);
  EXPECT_EQ(header.error().text(), "page.gguf: it is not a GGUF file: the first four bytes are not \"GGUF\"");
  EXPECT_EQ(Header::read_file(folder.path() / "missing.gguf").error().code, Code::not_found);
}

struct Malformed {
  const char* name;
  RawFile file;
  const char* fault;
};

std::vector<Malformed> malformed_preambles() {
  constexpr std::uint64_t kHuge = 1ULL << 62;
  return {
      {"version 1", RawFile().preamble(0, 0, 1), "version 1"},
      {"version of the future", RawFile().preamble(0, 0, 4), "version 4"},
      {"big endian", RawFile().preamble(0, 0, 0x03000000), "big-endian"},
      {"huge tensor count", RawFile().preamble(kHuge, 0).data(64), "4611686018427387904 tensors"},
      {"huge key count", RawFile().preamble(0, kHuge).data(64), "4611686018427387904 metadata keys"},
      {"more tensors than the file can name", RawFile().preamble(4, 0).data(64), "4 tensors"},
      {"keys missing", RawFile().preamble(0, 1).number<std::uint64_t>(0).data(64), "has no name"},
  };
}

std::vector<Malformed> malformed_keys() {
  constexpr std::uint64_t kHuge = ~0ULL;
  const auto begin = [](std::uint64_t keys = 1) { return RawFile().preamble(0, keys); };
  return {
      {"huge key length", begin().number(kHuge).data(64), "metadata key 0: a name of"},
      {"key that is not text", begin().key("\xff\xfe", ValueType::u8).data(64), "not text"},
      {"huge string", begin().key("k", ValueType::string).number(kHuge).data(64), "key 'k': a string of"},
      {"huge array", begin().key("k", ValueType::array).number(ValueType::u64).number(kHuge).data(64), "key 'k': an array of"},
      {"array whose size overflows", begin().key("k", ValueType::array).number(ValueType::f64).number(kHuge / 8 + 2).data(64),
       "an array of"},
      {"huge array of strings", begin().key("k", ValueType::array).number(ValueType::string).number<std::uint64_t>(1000).data(64),
       "an array of"},
      {"array of arrays", begin().key("k", ValueType::array).number(ValueType::array).number<std::uint64_t>(1).data(64), "array of arrays"},
      {"unknown value type", begin().text("k").number<std::uint32_t>(13).data(64), "unknown value type 13"},
      {"unknown element type", begin().key("k", ValueType::array).number<std::uint32_t>(99).number<std::uint64_t>(1).data(64),
       "value type 99"},
      {"duplicate key", begin(2).architecture().architecture("other"), "key 'general.architecture' occurs twice"},
      {"alignment zero", begin().key("general.alignment", ValueType::u32).number<std::uint32_t>(0), "power of two"},
      {"alignment 24", begin().key("general.alignment", ValueType::u32).number<std::uint32_t>(24), "power of two"},
      {"alignment of another type", begin().key("general.alignment", ValueType::u64).number<std::uint64_t>(32), "type u32"},
      {"terminal escape in a name", begin().key("\x1b[2J", ValueType::string).number(kHuge).data(64), "key '\uFFFD[2J'"},
  };
}

std::vector<Malformed> malformed_tensors() {
  constexpr std::uint64_t kHuge = 1ULL << 40;
  const auto with = [](const RawTensor& tensor) { return RawFile().preamble(1, 0).tensor(tensor).data(64); };
  return {
      {"name too long", with({.name = std::string(64, 'x')}), "tensor 0: a name of 64 bytes"},
      {"five dimensions", with({.shape = {1, 1, 1, 1, 1}}), "tensor 'a' has 5 dimensions"},
      {"zero dimension", with({.shape = {32, 0}}), "tensor 'a': dimension 1 is zero"},
      {"withdrawn type", with({.type = 4}), "unknown type 4"},
      {"type of the future", with({.type = 43}), "unknown type 43"},
      {"row that is no whole number of blocks", with({.shape = {33}, .type = 8}), "[33] is no shape for type Q8_0"},
      {"element count that overflows", with({.shape = {kHuge, kHuge}}), "or too large"},
      {"size that overflows", with({.shape = {1ULL << 31, 1ULL << 31}, .type = 27}), "or too large"},
  };
}

class MalformedFile : public testing::TestWithParam<std::vector<Malformed> (*)()> {};

TEST_P(MalformedFile, is_refused_with_its_fault_named) {
  for (const auto& [name, file, fault] : GetParam()()) {
    const auto header = parse(file.span());
    ASSERT_FALSE(header) << name;
    EXPECT_EQ(header.error().code, Code::corrupt_data) << name;
    EXPECT_THAT(header.error().message, HasSubstr(fault)) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Preamble, MalformedFile, testing::Values(malformed_preambles));
INSTANTIATE_TEST_SUITE_P(Keys, MalformedFile, testing::Values(malformed_keys));
INSTANTIATE_TEST_SUITE_P(Tensors, MalformedFile, testing::Values(malformed_tensors));

}  // namespace
}  // namespace puna::gguf
