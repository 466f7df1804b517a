#include "worker/quantize/quantize_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace puna::worker {
namespace {

using testing::ElementsAre;

class QuantizeLogTest : public testing::Test {
 protected:
  std::vector<std::string> heard_;
  QuantizeLog log_{{.tensor = [this](std::string_view name) { heard_.emplace_back(name); },
                    .type = [this](std::string_view type) { heard_.push_back("-> " + std::string(type)); },
                    .fallbacks = [this](std::int64_t count) { heard_.push_back(std::to_string(count) + " fallbacks"); }}};
};

TEST_F(QuantizeLogTest, hears_which_tensor_begins) {
  log_.hear("[   1/  21] token_embd.weight                    - [   64,    90,     1,     1], type =    f32, ");
  log_.hear("converting to q8_0 .. ");
  log_.hear("size =     0.02 MiB ->     0.01 MiB\n");
  log_.hear("[1234/1234] blk.100.ffn_down_exps.some_long_name.that_goes_on.weight - [ 4096, 14336,     8,     1], type =   bf16, ");
  EXPECT_THAT(heard_, ElementsAre("token_embd.weight", "blk.100.ffn_down_exps.some_long_name.that_goes_on.weight"));
}

TEST_F(QuantizeLogTest, hears_what_tensors_would_become) {
  log_.hear("[   2/  21] blk.0.attn_k.weight                  - [   64,    32,     1,     1], type =    f32, ");
  log_.hear("size =     0.02 MiB ->     0.01 MiB (q6_K)\n");
  log_.hear("[   3/  21] blk.0.attn_norm.weight               - [   64,     1,     1,     1], type =    f32, ");
  log_.hear("size =    0.000 MiB\n");
  EXPECT_THAT(heard_, ElementsAre("blk.0.attn_k.weight", "-> q6_K", "blk.0.attn_norm.weight"));
}

TEST_F(QuantizeLogTest, hears_how_many_tensors_do_not_fit_the_level) {
  log_.hear("llama_model_quantize_impl: WARNING: 12 of 21 tensor(s) required fallback quantization\n");
  EXPECT_THAT(heard_, ElementsAre("12 fallbacks"));
}

TEST_F(QuantizeLogTest, hears_nothing_in_other_talk) {
  log_.hear("llama_model_loader: loaded meta data with 20 key-value pairs (version GGUF V3 (latest))\n");
  log_.hear("llama_model_quantize_impl: quant size  =     0.13 MiB (9.01 BPW)\n");
  log_.hear("[");
  EXPECT_TRUE(heard_.empty());
}

TEST_F(QuantizeLogTest, knows_why_it_failed) {
  EXPECT_EQ(log_.failure().code, Code::upstream_failed);
  log_.hear_error("llama_model_quantize: failed to quantize: requantizing from type q8_0 is disabled\n");
  EXPECT_EQ(log_.failure().code, Code::unsupported);
  EXPECT_NE(log_.failure().message.find("--requantize"), std::string::npos);
}

TEST_F(QuantizeLogTest, prefers_the_line_it_understands_and_else_quotes_the_last) {
  log_.hear_error("\n============================================================\n");
  log_.hear_error("something new went wrong\n");
  EXPECT_EQ(log_.failure().message, "something new went wrong");
  log_.hear_error("llama_model_quantize: failed to quantize: this quantization requires an imatrix!\n");
  log_.hear_error("later\n");
  EXPECT_EQ(log_.failure().code, Code::invalid_argument);
}

}  // namespace
}  // namespace puna::worker
