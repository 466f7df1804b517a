#include "worker/arguments.h"

#include <gtest/gtest.h>

namespace puna::worker {
namespace {

Result<Arguments> parse(std::initializer_list<std::string_view> words) {
  return parse_arguments(std::vector<std::string_view>(words));
}

TEST(WorkerArguments, take_every_option) {
  const auto parsed = parse({"--model",
                             "/m.gguf",
                             "--socket",
                             "/r/1.sock",
                             "--name",
                             "tiny:1",
                             "--context",
                             "512",
                             "--slots",
                             "2",
                             "--threads",
                             "3",
                             "--gpu-layers",
                             "7",
                             "--mode",
                             "embed",
                             "--status-fd",
                             "5",
                             "--projector",
                             "/p.gguf",
                             "--adapter",
                             "/a.gguf",
                             "--adapter-scale",
                             "0.5",
                             "--adapter",
                             "/b.gguf",
                             "--chat-template-file",
                             "/t.jinja"});
  ASSERT_TRUE(parsed) << parsed.error().text();
  const auto& serve = std::get<ServeArguments>(*parsed);
  EXPECT_EQ(serve.model, "/m.gguf");
  EXPECT_EQ(serve.socket, "/r/1.sock");
  EXPECT_EQ(serve.name, "tiny:1");
  EXPECT_EQ(serve.context_length, 512);
  EXPECT_EQ(serve.slots, 2);
  EXPECT_EQ(serve.threads, 3);
  EXPECT_EQ(serve.gpu_layers, 7);
  EXPECT_EQ(serve.mode, Mode::embed);
  EXPECT_EQ(serve.status_fd, 5);
  EXPECT_EQ(serve.projector, "/p.gguf");
  ASSERT_EQ(serve.adapters.size(), 2u);
  EXPECT_EQ(serve.adapters[0].scale, 0.5);
  EXPECT_EQ(serve.adapters[1].scale, 1);
  EXPECT_EQ(serve.chat_template, "/t.jinja");
}

// ledger: M16
TEST(WorkerArguments, take_how_the_engine_is_set_up) {
  const auto parsed = parse({"--model",
                             "/m.gguf",
                             "--socket",
                             "/1.sock",
                             "--batch",
                             "1024",
                             "--micro-batch",
                             "256",
                             "--cache-type-k",
                             "q8_0",
                             "--cache-type-v",
                             "iq4_nl",
                             "--flash-attention",
                             "on",
                             "--draft",
                             "/d.gguf",
                             "--ngram",
                             "mod",
                             "--ngram-size",
                             "16",
                             "--draft-max",
                             "8",
                             "--draft-min",
                             "2",
                             "--draft-probability",
                             "0.75"});
  ASSERT_TRUE(parsed) << parsed.error().text();
  const auto& serve = std::get<ServeArguments>(*parsed);
  EXPECT_EQ(serve.batch, 1024);
  EXPECT_EQ(serve.micro_batch, 256);
  EXPECT_EQ(serve.cache_type_k, wire::CacheType::q8_0);
  EXPECT_EQ(serve.cache_type_v, wire::CacheType::iq4_nl);
  EXPECT_EQ(serve.flash_attention, wire::Switch::on);
  EXPECT_EQ(serve.speculation.draft, "/d.gguf");
  EXPECT_EQ(serve.speculation.ngram, wire::NgramMethod::mod);
  EXPECT_EQ(serve.speculation.ngram_size, 16);
  EXPECT_EQ(serve.speculation.draft_max, 8);
  EXPECT_EQ(serve.speculation.draft_min, 2);
  EXPECT_EQ(serve.speculation.draft_probability, 0.75);
}

TEST(WorkerArguments, take_where_conversations_are_saved) {
  const auto parsed =
      parse({"--model", "/m.gguf", "--socket", "/1.sock", "--warm-folder", "/w/m", "--warm-disk", "4294967296", "--warm-least", "100"});
  ASSERT_TRUE(parsed) << parsed.error().text();
  const auto& warmth = std::get<ServeArguments>(*parsed).warmth;
  EXPECT_EQ(warmth.folder, "/w/m");
  EXPECT_EQ(warmth.disk, gib(4));
  EXPECT_EQ(warmth.least, 100);
}

TEST(WorkerArguments, ask_for_a_quantization_or_a_trial) {
  const auto parsed = parse({"--quantize", "/m.gguf", "--output", "/q.gguf", "--file-type", "15", "--threads", "2", "--imatrix", "/i.gguf",
                             "--requantize", "yes"});
  ASSERT_TRUE(parsed) << parsed.error().text();
  const auto& quantize = std::get<QuantizeArguments>(*parsed);
  EXPECT_EQ(quantize.source, "/m.gguf");
  EXPECT_EQ(quantize.output, "/q.gguf");
  EXPECT_EQ(quantize.file_type, 15);
  EXPECT_EQ(quantize.threads, 2);
  EXPECT_EQ(quantize.imatrix, "/i.gguf");
  EXPECT_TRUE(quantize.requantize);
  EXPECT_FALSE(quantize.plan_only);
  EXPECT_FALSE(parse({"--quantize", "/m.gguf", "--file-type", "15"}));
  EXPECT_EQ(std::get<TrialArguments>(*parse({"--try", "/q.gguf"})).file, "/q.gguf");
}

TEST(WorkerArguments, ask_what_a_model_can_do) {
  const auto parsed = parse({"--probe", "/m.gguf", "--chat-template-file", "/t.jinja", "--load", "no"});
  ASSERT_TRUE(parsed) << parsed.error().text();
  const auto& probe = std::get<ProbeArguments>(*parsed);
  EXPECT_EQ(probe.file, "/m.gguf");
  EXPECT_EQ(probe.chat_template, "/t.jinja");
  EXPECT_FALSE(probe.load);
  EXPECT_TRUE(std::get<ProbeArguments>(*parse({"--probe", "/m.gguf"})).load);
}

// ledger: M4
TEST(WorkerArguments, name_the_option_and_its_bounds_when_a_value_is_wrong) {
  const auto parsed = parse({"--model", "/m.gguf", "--socket", "/1.sock", "--slots", "0"});
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, Code::invalid_argument);
  EXPECT_EQ(parsed.error().message, "--slots takes a number from 1 to 256, not '0'");
}

// ledger: M4
TEST(WorkerArguments, refuse_what_is_no_option_no_number_or_incomplete) {
  EXPECT_FALSE(parse({"--model", "/m.gguf", "--socket", "/1.sock", "--verbose", "1"}));
  EXPECT_FALSE(parse({"--model", "/m.gguf", "--socket", "/1.sock", "--threads", "two"}));
  EXPECT_FALSE(parse({"--model", "/m.gguf", "--socket", "/1.sock", "--mode", "dream"}));
  EXPECT_FALSE(parse({"--model", "/m.gguf", "--socket", "/1.sock", "--cache-type-k", "q2_K"}));
  EXPECT_FALSE(parse({"--model", "/m.gguf", "--socket", "/1.sock", "--draft-probability", "nan"}));
  EXPECT_FALSE(parse({"--model", "/m.gguf", "--socket", "/1.sock", "--adapter-scale", "1"}));
  EXPECT_FALSE(parse({"--model", "/m.gguf", "--socket", "/1.sock", "--name"}));
  EXPECT_FALSE(parse({"--socket", "/1.sock"}));
}

TEST(WorkerArguments, refuse_a_socket_that_the_engine_would_take_for_a_host_name_or_the_kernel_would_cut) {
  EXPECT_FALSE(parse({"--model", "/m.gguf", "--socket", "/run/worker"}));
  EXPECT_FALSE(parse({"--model", "/m.gguf", "--socket", "/" + std::string(110, 'x') + ".sock"}));
}

TEST(WorkerArguments, ask_for_a_check_of_one_file) {
  const auto parsed = parse({"--check", "/m.gguf"});
  ASSERT_TRUE(parsed);
  EXPECT_EQ(std::get<CheckArguments>(*parsed).file, "/m.gguf");
}

}  // namespace
}  // namespace puna::worker
