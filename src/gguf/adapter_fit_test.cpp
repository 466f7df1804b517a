#include "gguf/adapter_fit.h"

#include <gmock/gmock.h>

#include "gguf/writer.h"
#include "os/temporary_folder.h"

namespace puna::gguf {
namespace {

using ::testing::HasSubstr;

struct Sketch {
  std::string type = "adapter";
  std::string architecture = "llama";
  std::map<std::string, std::vector<std::uint64_t>> tensors;
};

Header header_of(const Sketch& sketch) {
  const auto folder = os::TemporaryFolder::create().value();
  Writer writer;
  writer.set("general.type", sketch.type);
  writer.set("general.architecture", sketch.architecture);
  writer.set("adapter.type", std::string("lora"));
  const std::vector<std::byte> zeros(4096);
  for (const auto& [name, shape] : sketch.tensors)
    writer.add_tensor(name, TensorType::f32, shape, std::span(zeros).first(shape[0] * shape[1] * sizeof(float))).value();
  writer.write(folder.path() / "x.gguf").value();
  return Header::read_file(folder.path() / "x.gguf").value();
}

const Sketch kBase{.type = "model", .tensors = {{"blk.0.attn_q.weight", {8, 4}}, {"token_embd.weight", {8, 16}}}};
const Sketch kFitting{.tensors = {{"blk.0.attn_q.weight.lora_a", {8, 2}},
                                  {"blk.0.attn_q.weight.lora_b", {2, 4}},
                                  {"token_embd.weight.lora_a", {2, 16}},
                                  {"token_embd.weight.lora_b", {2, 8}}}};

std::string reason(const Sketch& adapter) {
  const auto fit = check_adapter_fit(header_of(adapter), header_of(kBase), "pirate", "base");
  return fit ? "fits" : fit.error().message;
}

TEST(AdapterFit, holds_when_every_tensor_has_its_place) {
  EXPECT_EQ(reason(kFitting), "fits");
}

// ledger: M4
TEST(AdapterFit, says_what_does_not_fit) {
  auto other = kFitting;
  other.architecture = "qwen3";
  EXPECT_EQ(reason(other), "pirate does not fit base: it is for the architecture qwen3, not llama");
  EXPECT_THAT(reason(kBase), HasSubstr("it is no adapter"));
  auto wide = kFitting;
  wide.tensors["blk.0.attn_q.weight.lora_b"] = {2, 6};
  EXPECT_THAT(reason(wide), HasSubstr("another shape of blk.0.attn_q.weight than 8 x 4"));
  auto deep = kFitting;
  deep.tensors["blk.7.attn_q.weight.lora_a"] = {8, 2};
  EXPECT_THAT(reason(deep), HasSubstr("half of blk.7.attn_q.weight is missing"));
  deep.tensors["blk.7.attn_q.weight.lora_b"] = {2, 4};
  EXPECT_THAT(reason(deep), HasSubstr("the base has no tensor blk.7.attn_q.weight"));
}

}  // namespace
}  // namespace puna::gguf
