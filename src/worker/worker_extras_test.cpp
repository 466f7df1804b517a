// A real worker that is given more than one file.
#include <gtest/gtest.h>

#include <fstream>

#include "gguf/reader.h"
#include "gguf/writer.h"
#include "model/part_links.h"
#include "models/tiny_model.h"
#include "worker/worker_testing.h"

namespace puna::worker::testing {
namespace {

namespace fs = std::filesystem;
using wire::WorkerReport;

constexpr std::string_view kQuestion = R"({"messages":[{"role":"user","content":"hello"}],"temperature":0})";

std::string bytes_of(const fs::path& file, std::uint64_t from, std::uint64_t size) {
  std::string out(size, '\0');
  std::ifstream in(file, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(from)).read(out.data(), static_cast<std::streamsize>(size));
  return out;
}

class WorkerExtras : public ::testing::Test {
 protected:
  WorkerExtras() { EXPECT_TRUE(tiny_model::write(whole_, tiny_model::Kind::chat)); }

  // As llama.cpp's gguf-split does: the first part has all metadata, each part some of the tensors.
  void write_part(const fs::path& to, std::uint16_t number, std::uint16_t count) {
    const auto header = gguf::Header::read_file(whole_).value();
    gguf::Writer writer;
    if (number == 0)
      for (const auto& [key, value] : header.metadata()) writer.set(key, value);
    writer.set("split.no", number);
    writer.set("split.count", count);
    writer.set("split.tensors.count", static_cast<std::int32_t>(header.tensors().size()));
    std::vector<std::string> bytes;
    bytes.reserve(header.tensors().size());
    for (std::size_t i = number; i < header.tensors().size(); i += count) {
      const auto& tensor = header.tensors()[i];
      bytes.push_back(bytes_of(whole_, header.data_offset() + tensor.offset, tensor.size.count));
      writer.add_tensor(tensor.name, tensor.type, tensor.shape, std::as_bytes(std::span(bytes.back()))).value();
    }
    writer.write(to).value();
  }

  os::TemporaryFolder folder_ = os::TemporaryFolder::create().value();
  const fs::path whole_ = folder_.path() / "tiny.gguf";
};

TEST_F(WorkerExtras, a_split_model_answers_from_the_librarys_files_as_the_whole_one) {
  fs::create_directory(folder_.path() / "blobs");
  std::vector<std::string> contents;
  for (std::uint16_t part = 0; part < 3; ++part) {
    contents.emplace_back(64, static_cast<char>('a' + part));
    write_part(folder_.path() / "blobs" / ("sha256-" + contents.back()), part, 3);
  }
  const model::PartLinks links(folder_.path() / "sets");
  RunningWorker worker(links.first_part(contents).value());
  ASSERT_EQ(worker.outcome().report, WorkerReport::ready) << worker.log();
  EXPECT_NE(worker.post("/v1/chat/completions", kQuestion).body.find("Llamas walk slowly"), std::string::npos);
}

TEST_F(WorkerExtras, a_chat_template_of_its_own_goes_before_the_models) {
  std::ofstream(folder_.path() / "short.jinja") << "{% for m in messages %}{{ m.content }}{% endfor %}";
  const auto prompt_tokens = [&](const std::vector<std::string>& options) {
    RunningWorker worker(whole_, options);
    EXPECT_EQ(worker.outcome().report, WorkerReport::ready);
    const auto answer = json::parse_object(worker.post("/v1/chat/completions", kQuestion).body).value();
    return answer.at("usage").at("prompt_tokens").to_number<int>();
  };
  EXPECT_LT(prompt_tokens({"--chat-template-file", (folder_.path() / "short.jinja").string()}), prompt_tokens({}));
}

// ledger: M16
TEST_F(WorkerExtras, guessing_ahead_and_a_small_cache_leave_the_answer_as_it_is) {
  const auto answer = [&](const std::vector<std::string>& options) {
    RunningWorker worker(whole_, options);
    EXPECT_EQ(worker.outcome().report, WorkerReport::ready) << worker.log();
    return worker.post("/v1/chat/completions", kQuestion).body;
  };
  EXPECT_NE(answer({"--draft", whole_.string(), "--draft-max", "4"}).find("Llamas walk slowly"), std::string::npos);
  EXPECT_NE(answer({"--ngram", "simple", "--ngram-size", "4"}).find("Llamas walk slowly"), std::string::npos);
  EXPECT_NE(answer({"--flash-attention", "on", "--cache-type-k", "bf16", "--cache-type-v", "bf16", "--batch", "64"}).find("Llamas walk"),
            std::string::npos);
}

TEST_F(WorkerExtras, a_lora_adapter_is_loaded_with_the_model) {
  const std::vector<std::byte> zeros(std::size_t{tiny_model::kEmbeddingLength} * 2 * sizeof(float));
  gguf::Writer writer;
  writer.set("general.type", std::string("adapter"));
  writer.set("general.architecture", std::string("llama"));
  writer.set("adapter.type", std::string("lora"));
  writer.set("adapter.lora.alpha", 2.0F);
  writer.add_tensor("blk.0.attn_q.weight.lora_a", gguf::TensorType::f32, {tiny_model::kEmbeddingLength, 2}, zeros).value();
  writer.add_tensor("blk.0.attn_q.weight.lora_b", gguf::TensorType::f32, {2, tiny_model::kEmbeddingLength}, zeros).value();
  writer.write(folder_.path() / "lora.gguf").value();
  RunningWorker worker(whole_, {"--adapter", (folder_.path() / "lora.gguf").string()});
  ASSERT_EQ(worker.outcome().report, WorkerReport::ready) << worker.log();
  EXPECT_NE(worker.post("/v1/chat/completions", kQuestion).body.find("Llamas walk slowly"), std::string::npos);
  RunningWorker without(whole_, {"--adapter", whole_.string()});  // no adapter
  EXPECT_EQ(without.outcome().report, WorkerReport::failure);
}

}  // namespace
}  // namespace puna::worker::testing
