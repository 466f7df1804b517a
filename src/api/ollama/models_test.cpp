#include "api/ollama/models.h"

#include <gtest/gtest.h>

namespace puna::api::ollama {
namespace {

wire::RunningModel worker() {
  return {.name = "m:latest", .state = wire::WorkerState::ready, .memory_bytes = 300, .context_length = 4096};
}

TEST(Processes, tell_what_lies_on_gpus_as_part_of_the_whole) {
  auto running = worker();
  running.device_bytes = 700;
  const auto shown = processes(std::vector{running}, {}).at("models").at(0);
  EXPECT_EQ(shown.at("size"), 1000);
  EXPECT_EQ(shown.at("size_vram"), 700);
}

TEST(Processes, say_that_nothing_lies_on_gpus_where_there_are_none_or_nobody_says) {
  auto on_the_processor = worker();
  on_the_processor.device_bytes = 0;
  for (const auto& running : {worker(), on_the_processor}) {
    const auto shown = processes(std::vector{running}, {}).at("models").at(0);
    EXPECT_EQ(shown.at("size"), 300);
    EXPECT_EQ(shown.at("size_vram"), 0);
  }
}

}  // namespace
}  // namespace puna::api::ollama
