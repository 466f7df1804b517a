#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "os/file.h"
#include "os/temporary_folder.h"
#include "safetensors/file.h"
#include "safetensors/writer.h"

namespace puna::safetensors {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string bytes_of(std::string_view header, std::string_view data = "") {
  const std::uint64_t length = header.size();
  std::string out(sizeof(length), '\0');
  std::memcpy(out.data(), &length, sizeof(length));
  return out.append(header).append(data);
}

std::string refusal(std::string_view bytes) {
  const auto header = Header::parse(std::as_bytes(std::span(bytes)), Bytes(bytes.size()));
  return header ? "nothing" : header.error().message;
}

class Safetensors : public testing::Test {
 protected:
  os::TemporaryFolder folder_ = os::TemporaryFolder::create().value();
  std::filesystem::path file_ = folder_.path() / "a.safetensors";
  // One tensor of that type, as numbers.
  std::vector<float> read(std::string_view type, std::string_view data, std::size_t count) {
    const auto header = R"({"a":{"dtype":")" + std::string(type) + R"(","shape":[)" + std::to_string(count) + R"(],"data_offsets":[0,)" +
                        std::to_string(data.size()) + "]}}";
    os::write_file_atomic(file_, bytes_of(header, data)).value();
    const auto file = File::open(file_).value();
    return file.floats(file.header().tensors().front()).value();
  }
};

TEST_F(Safetensors, come_back_as_they_went) {
  const std::array<float, 6> numbers{1, -2, 0.5F, 3e38F, 1e-40F, 0};
  Writer writer;
  writer.note("format", "pt");
  ASSERT_TRUE(writer.add("b", {2, 3}, numbers));
  ASSERT_TRUE(writer.add("a", {}, std::span(numbers).first(1)));
  ASSERT_TRUE(writer.write(file_));
  const auto file = File::open(file_).value();
  EXPECT_EQ(file.header().metadata().at("format"), "pt");
  EXPECT_EQ(file.header().data_offset() % 8, 0u);
  ASSERT_EQ(file.header().tensors().size(), 2u);
  EXPECT_EQ(file.header().tensors()[0].name, "a");
  EXPECT_THAT(file.header().tensors()[1].shape, ElementsAre(2, 3));
  EXPECT_THAT(file.floats(file.header().tensors()[1]).value(), testing::ElementsAreArray(numbers));
}

TEST_F(Safetensors, of_16_and_64_bits_are_read_as_floats) {
  EXPECT_THAT(read("F16", std::string_view("\x00\x3c\x00\xc0\xff\x7b\x01\x00\x00\x7c", 10), 5),
              ElementsAre(1, -2, 65504, 0x1p-24F, std::numeric_limits<float>::infinity()));
  EXPECT_THAT(read("BF16", std::string_view("\x80\x3f\x00\xc0", 4), 2), ElementsAre(1, -2));
  EXPECT_THAT(read("F64", std::string_view("\0\0\0\0\0\0\xf0\x3f", 8), 1), ElementsAre(1));
}

TEST_F(Safetensors, of_other_types_are_listed_but_not_read) {
  os::write_file_atomic(file_, bytes_of(R"({"a":{"dtype":"I8","shape":[2],"data_offsets":[0,2]}})", "xx")).value();
  const auto file = File::open(file_).value();
  EXPECT_THAT(file.floats(file.header().tensors().front()).error().message, HasSubstr("'a' is of type I8"));
}

TEST_F(Safetensors, that_shrink_while_they_are_read_are_refused) {
  const std::array<float, 4> numbers{};
  Writer writer;
  ASSERT_TRUE(writer.add("a", {4}, numbers));
  ASSERT_TRUE(writer.write(file_));
  const auto file = File::open(file_).value();
  std::filesystem::resize_file(file_, std::filesystem::file_size(file_) - 1);
  EXPECT_EQ(file.floats(file.header().tensors().front()).error().code, Code::corrupt_data);
}

TEST_F(Safetensors, are_refused_with_the_reason) {
  EXPECT_THAT(refusal(bytes_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "1234")),
              HasSubstr("'a' has 4 bytes where its shape needs 8"));
  EXPECT_THAT(refusal(bytes_of(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", "123")), HasSubstr("cut off"));
  EXPECT_THAT(refusal(bytes_of(
                  R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})", "123")),
              HasSubstr("'b' does not begin"));
  EXPECT_THAT(refusal(bytes_of("{")), HasSubstr("no safetensors header"));
  EXPECT_THAT(refusal("GGUF"), HasSubstr("too short"));
}

TEST_F(Safetensors, with_the_wrong_number_of_numbers_are_not_written) {
  Writer writer;
  const std::array<float, 3> numbers{};
  EXPECT_EQ(writer.add("a", {2, 2}, numbers).error().code, Code::invalid_argument);
  EXPECT_TRUE(writer.add("a", {3}, numbers));
  EXPECT_EQ(writer.add("a", {3}, numbers).error().code, Code::already_exists);
}

}  // namespace
}  // namespace puna::safetensors
