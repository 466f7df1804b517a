// `puna worker --quantize` and `--try`, as the daemon runs them.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <sstream>

#include "gguf/summary.h"
#include "gguf/writer.h"
#include "models/tiny_model.h"
#include "os/file.h"
#include "os/process.h"
#include "os/temporary_folder.h"
#include "wire/quantize.h"

namespace puna::worker {
namespace {

using testing::Contains;
using testing::HasSubstr;

constexpr std::chrono::seconds kPatience{60};
constexpr std::string_view kQ8 = "7";  // numbers of general.file_type
constexpr std::string_view kQ4 = "2";

struct Ran {
  os::ExitStatus exit;
  std::vector<wire::QuantizeLine> lines;
  [[nodiscard]] std::vector<std::string> tensors() const {
    std::vector<std::string> out;
    for (const auto& line : lines)
      if (line.tensor) out.push_back(*line.tensor);
    return out;
  }
  [[nodiscard]] Error error() const {
    if (lines.empty() || !lines.back().error) return {Code::internal, "there was no error"};
    return {code_from_name(lines.back().error->code).value(), lines.back().error->message};
  }
};

class Quantize : public testing::Test {
 protected:
  Quantize() { EXPECT_TRUE(tiny_model::write(source_, tiny_model::Kind::chat)); }

  Ran run(std::vector<std::string> words) const {
    words.insert(words.begin(), {PUNA_PROGRAM, "worker"});
    const auto told = folder_.path() / "told";
    const os::UniqueFd file(::open(told.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    auto process = os::Process::spawn({.argv = words, .environment = os::child_environment(), .stdout_fd = file.get()});
    Ran ran;
    ran.exit = process.value().wait(kPatience).value();
    std::istringstream lines(os::read_file(told, mib(1)).value());
    for (std::string line; std::getline(lines, line);)
      ran.lines.push_back(json::decode_text<wire::QuantizeLine>(line, json::Unknown::ignore).value());
    return ran;
  }
  Ran quantize(std::string_view level, std::vector<std::string> more = {}) const {
    std::vector<std::string> words = {"--quantize",  source_.string(),   "--output",  output_.string(),
                                      "--file-type", std::string(level), "--threads", "1"};
    words.insert(words.end(), more.begin(), more.end());
    return run(std::move(words));
  }
  // One entry for `tensor`, of that many columns.
  std::filesystem::path importance(const std::string& tensor, std::size_t columns) {
    const auto file = folder_.path() / "importance.gguf";
    const std::vector<float> sums(columns, 2.0F);
    const std::vector<float> count{4.0F};
    gguf::Writer writer;
    writer.set("general.type", std::string("imatrix"));
    writer.set("imatrix.datasets", std::vector<std::string>{"words.txt"});
    writer.set("imatrix.chunk_count", std::uint32_t{1});
    writer.set("imatrix.chunk_size", std::uint32_t{512});
    EXPECT_TRUE(writer.add_tensor(tensor + ".in_sum2", gguf::TensorType::f32, {columns, 1}, std::as_bytes(std::span(sums))));
    EXPECT_TRUE(writer.add_tensor(tensor + ".counts", gguf::TensorType::f32, {1, 1}, std::as_bytes(std::span(count))));
    EXPECT_TRUE(writer.write(file));
    return file;
  }

  os::TemporaryFolder folder_ = *os::TemporaryFolder::create();
  std::filesystem::path source_ = folder_.path() / "f32.gguf";
  std::filesystem::path output_ = folder_.path() / "small.gguf";
};

TEST_F(Quantize, writes_a_smaller_model_that_loads_and_computes) {
  const auto ran = quantize(kQ8);
  EXPECT_TRUE(ran.exit.ok()) << ran.error().message;
  EXPECT_TRUE(ran.lines.back().finished);
  EXPECT_EQ(gguf::summarize(gguf::Header::read_file(output_).value()).quantization, "Q8_0");
  EXPECT_LT(std::filesystem::file_size(output_), std::filesystem::file_size(source_) / 2);
  EXPECT_TRUE(run({"--try", output_.string()}).exit.ok());
}

TEST_F(Quantize, names_each_tensor_as_it_begins) {
  const auto ran = quantize(kQ4);
  EXPECT_EQ(ran.tensors().size(), gguf::Header::read_file(source_)->tensors().size());
  EXPECT_THAT(ran.tensors(), Contains("blk.1.ffn_down.weight"));
}

TEST_F(Quantize, plans_without_writing) {
  const auto ran = run({"--quantize", source_.string(), "--file-type", std::string(kQ8), "--plan-only", "yes"});
  EXPECT_TRUE(ran.exit.ok());
  EXPECT_EQ(ran.tensors().size(), gguf::Header::read_file(source_)->tensors().size());
  EXPECT_EQ(std::ranges::count_if(ran.lines, [](const auto& line) { return line.type == "q8_0"; }), 16);
  EXPECT_FALSE(std::filesystem::exists(output_));
}

TEST_F(Quantize, takes_no_quantized_source_unless_told_to) {
  ASSERT_TRUE(quantize(kQ8).exit.ok());
  std::swap(source_, output_);
  EXPECT_EQ(quantize(kQ4).error().code, Code::unsupported);
  EXPECT_TRUE(quantize(kQ4, {"--requantize", "yes"}).exit.ok());
}

TEST_F(Quantize, weighs_by_an_importance_matrix_and_notes_it_without_its_folder) {
  const auto ran = quantize(kQ4, {"--imatrix", importance("blk.0.attn_q.weight", tiny_model::kEmbeddingLength).string()});
  ASSERT_TRUE(ran.exit.ok()) << ran.error().message;
  EXPECT_EQ(gguf::Header::read_file(output_)->text("quantize.imatrix.file"), "importance.gguf");
  EXPECT_EQ(gguf::Header::read_file(output_)->integer("quantize.imatrix.entries_count"), 1);
}

TEST_F(Quantize, refuses_an_importance_matrix_that_is_not_for_this_model) {
  EXPECT_THAT(quantize(kQ4, {"--imatrix", importance("v.blk.7.weight", 64).string()}).error().message, HasSubstr("another model"));
  EXPECT_THAT(quantize(kQ4, {"--imatrix", importance("blk.0.attn_q.weight", 96).string()}).error().message, HasSubstr("another model"));
  EXPECT_EQ(quantize(kQ4, {"--imatrix", source_.string()}).error().code, Code::corrupt_data);
  EXPECT_EQ(quantize(kQ4, {"--imatrix", "/nowhere"}).error().code, Code::corrupt_data);
}

TEST_F(Quantize, says_why_a_file_is_no_source) {
  ASSERT_TRUE(os::write_file_atomic(source_, "GGUF but not really"));
  EXPECT_FALSE(quantize(kQ8).exit.ok());
  EXPECT_NE(quantize(kQ8).error().code, Code::internal);
}

TEST_F(Quantize, a_trial_tells_a_model_from_what_only_looks_like_one) {
  EXPECT_TRUE(run({"--try", source_.string()}).exit.ok());
  ASSERT_TRUE(tiny_model::write(output_, tiny_model::Kind::embedding));
  EXPECT_TRUE(run({"--try", output_.string()}).exit.ok());
  std::filesystem::resize_file(output_, std::filesystem::file_size(output_) - 100);
  EXPECT_EQ(run({"--try", output_.string()}).error().code, Code::corrupt_data);
}

}  // namespace
}  // namespace puna::worker
