#include "gguf/writer.h"

#include <ggml.h>
#include <gguf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>

#include "gguf/check.h"
#include "gguf/reader.h"
#include "os/file.h"
#include "os/temporary_folder.h"

namespace puna::gguf {
namespace {

using testing::HasSubstr;

class Written : public testing::Test {
 protected:
  Header read() const { return Header::read_file(path_).value(); }

  os::TemporaryFolder folder_ = os::TemporaryFolder::create().value();
  std::filesystem::path path_ = folder_.path() / "written.gguf";
  Writer writer_;
};

std::map<std::string, Value, std::less<>> one_value_of_each_type() {
  return {{"u8", std::uint8_t{255}},
          {"i8", std::int8_t{-128}},
          {"u16", std::uint16_t{65535}},
          {"i16", std::int16_t{-32768}},
          {"u32", std::uint32_t{4294967295}},
          {"i32", std::numeric_limits<std::int32_t>::min()},
          {"f32", 0.1F},
          {"bool", true},
          {"string", std::string("a\0b \xF0\x9F\xA6\x99", 8)},
          {"u64", std::numeric_limits<std::uint64_t>::max()},
          {"i64", std::numeric_limits<std::int64_t>::min()},
          {"f64", 0.1},
          {"u8s", std::vector<std::uint8_t>{0, 255}},
          {"i8s", std::vector<std::int8_t>{-1}},
          {"u16s", std::vector<std::uint16_t>{1, 2}},
          {"i16s", std::vector<std::int16_t>{-1, 2}},
          {"u32s", std::vector<std::uint32_t>{}},
          {"i32s", std::vector<std::int32_t>{-1, 0, 1}},
          {"f32s", std::vector<float>{0.5F, -2}},
          {"bools", std::vector<bool>{true, false, true}},
          {"strings", std::vector<std::string>{"", "x"}},
          {"u64s", std::vector<std::uint64_t>{1ULL << 63}},
          {"i64s", std::vector<std::int64_t>{-1}},
          {"f64s", std::vector<double>{1e300}}};
}

TEST_F(Written, metadata_of_every_type_is_read_back) {
  for (const auto& [key, value] : one_value_of_each_type()) writer_.set(key, value);
  ASSERT_TRUE(writer_.write(path_));
  EXPECT_EQ(read().metadata(), one_value_of_each_type());
}

TEST_F(Written, tensors_are_aligned_and_pass_the_check) {
  const std::vector<std::byte> bytes(68, std::byte{7});
  writer_.set("general.architecture", std::string("llama"));
  writer_.set("general.alignment", std::uint32_t{64});
  ASSERT_TRUE(writer_.add_tensor("first", TensorType::q8_0, {32, 2}, bytes));
  ASSERT_TRUE(writer_.add_tensor("second", TensorType::i8, {68}, bytes));
  ASSERT_TRUE(writer_.write(path_));
  EXPECT_TRUE(check(path_));
  EXPECT_EQ(read().tensors()[1].offset, 128u);
  const std::string found = os::read_file(path_, mib(1)).value();
  EXPECT_EQ(found.substr(read().data_offset() + 128, 68), std::string(68, '\7'));
}

TEST_F(Written, a_tensor_may_come_in_pieces) {
  writer_.set("general.architecture", std::string("llama"));
  const auto pieces = [](const Writer::Emit& emit) -> Result<> {
    for (std::uint8_t i = 0; i < 16; ++i) PUNA_CHECK(emit(std::as_bytes(std::span(&i, 1))));
    return {};
  };
  ASSERT_TRUE(writer_.add_tensor("a", TensorType::i8, {16}, pieces));
  ASSERT_TRUE(writer_.write(path_));
  const std::string found = os::read_file(path_, mib(1)).value();
  EXPECT_EQ(found.substr(read().data_offset(), 4), std::string("\0\1\2\3", 4));
}

TEST_F(Written, a_failure_midway_keeps_the_old_file) {
  ASSERT_TRUE(os::write_file_atomic(path_, "old"));
  const auto too_little = [](const Writer::Emit&) -> Result<> { return {}; };
  const auto too_much = [](const Writer::Emit& emit) { return emit(std::vector<std::byte>(17)); };
  const auto broken = [](const Writer::Emit&) -> Result<> { return fail(Code::cancelled, "enough"); };
  for (const Writer::Produce& produce : {Writer::Produce(too_little), Writer::Produce(too_much), Writer::Produce(broken)}) {
    Writer writer;
    ASSERT_TRUE(writer.add_tensor("a", TensorType::i8, {16}, produce));
    EXPECT_FALSE(writer.write(path_));
  }
  EXPECT_EQ(os::read_file(path_, kib(1)).value(), "old");
}

TEST_F(Written, what_no_reader_would_accept_is_refused) {
  const std::vector<std::byte> bytes(4);
  EXPECT_TRUE(writer_.add_tensor("a", TensorType::f32, {1}, bytes));
  EXPECT_EQ(writer_.add_tensor("a", TensorType::f32, {1}, bytes).error().code, Code::already_exists);
  EXPECT_EQ(writer_.add_tensor("", TensorType::f32, {1}, bytes).error().code, Code::invalid_argument);
  EXPECT_EQ(writer_.add_tensor(std::string(64, 'x'), TensorType::f32, {1}, bytes).error().code, Code::invalid_argument);
  EXPECT_THAT(writer_.add_tensor("b", TensorType::q4_0, {31}, bytes).error().message, HasSubstr("[31] is no shape for type Q4_0"));
  writer_.set("general.alignment", std::uint32_t{3});
  EXPECT_EQ(writer_.write(path_).error().code, Code::invalid_argument);
}

TEST_F(Written, ggml_reads_the_same) {
  const std::vector<float> weights = {1, 2, 3};
  writer_.set("general.architecture", std::string("llama"));
  writer_.set("list", std::vector<std::string>{"x", "y"});
  ASSERT_TRUE(writer_.add_tensor("w", TensorType::f32, {3}, std::as_bytes(std::span(weights))));
  ASSERT_TRUE(writer_.add_tensor("v", TensorType::f32, {1, 3}, std::as_bytes(std::span(weights))));
  ASSERT_TRUE(writer_.write(path_));

  ggml_context* tensors = nullptr;
  const std::unique_ptr<gguf_context, void (*)(gguf_context*)> file(
      gguf_init_from_file(path_.c_str(), {.no_alloc = false, .ctx = &tensors}), gguf_free);
  const std::unique_ptr<ggml_context, void (*)(ggml_context*)> owner(tensors, ggml_free);
  ASSERT_NE(file, nullptr);
  EXPECT_STREQ(gguf_get_val_str(file.get(), gguf_find_key(file.get(), "general.architecture")), "llama");
  EXPECT_STREQ(gguf_get_arr_str(file.get(), gguf_find_key(file.get(), "list"), 1), "y");
  EXPECT_EQ(gguf_get_data_offset(file.get()), read().data_offset());
  EXPECT_EQ(ggml_get_data_f32(ggml_get_tensor(tensors, "v"))[2], 3.0F);
}

}  // namespace
}  // namespace puna::gguf
