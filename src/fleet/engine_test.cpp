#include "fleet/engine.h"

#include <gmock/gmock.h>

#include "base/text.h"

namespace puna::fleet {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string command_of(const Launch& launch, Purpose purpose = Purpose::generate) {
  const FleetOptions options{.context_length = 4096, .slots = 4};
  return join(worker_command({.launch = launch, .purpose = purpose, .options = options, .program = "/puna", .socket = "/1.sock"}), " ");
}

TEST(WorkerCommand, says_what_is_set_and_leaves_the_rest_to_the_engine) {
  EXPECT_EQ(command_of({.name = "m", .file = "/m.gguf"}),
            "/puna worker --model /m.gguf --socket /1.sock --name m --context 4096 --slots 4 --threads 0 --gpu-layers -1 --mode generate "
            "--status-fd 3");
}

TEST(WorkerCommand, says_where_conversations_are_saved_when_they_are) {
  const FleetOptions options{.warm_disk = kib(2), .warm_least = 50};
  const auto words = [&](Purpose purpose) {
    return join(worker_command({.launch = {.name = "m", .file = "/m.gguf"}, .purpose = purpose, .options = options, .warm = "/w/m"}), " ");
  };
  EXPECT_THAT(words(Purpose::generate), HasSubstr("--warm-folder /w/m --warm-disk 2048 --warm-least 50"));
  EXPECT_THAT(words(Purpose::embed), Not(HasSubstr("--warm")));
}

// ledger: M16
TEST(WorkerCommand, carries_the_engines_settings) {
  Launch launch{.name = "coder", .file = "/m.gguf", .adapters = {{"/a.gguf"}, {"/b.gguf", 0.25}}, .draft = "/d.gguf"};
  launch.engine = {.context = 8192,
                   .slots = 1,
                   .micro_batch = 256,
                   .cache_type_k = wire::CacheType::q8_0,
                   .flash_attention = wire::Switch::on,
                   .ngram = wire::NgramMethod::map_k,
                   .draft_probability = 0.5};
  const auto words = command_of(launch);
  EXPECT_THAT(words, HasSubstr("--context 8192 --slots 1"));
  EXPECT_THAT(words, HasSubstr("--adapter /a.gguf --adapter /b.gguf --adapter-scale 0.25"));
  EXPECT_THAT(
      words, HasSubstr("--micro-batch 256 --cache-type-k q8_0 --flash-attention on --draft /d.gguf --ngram map_k --draft-probability 0.5"));
  EXPECT_THAT(words, Not(HasSubstr("--batch")));
}

TEST(Launch, is_served_by_the_same_process_whatever_is_to_happen_when_it_is_idle) {
  const Launch before{.name = "m", .file = "/m.gguf"};
  Launch after = before;
  after.life.keep_alive = Milliseconds(5);
  EXPECT_TRUE(after.same_process(before));
  after.engine.slots = 2;
  EXPECT_FALSE(after.same_process(before));
}

}  // namespace
}  // namespace puna::fleet
