#include "inference/engine.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "ggml.h"

namespace puna::inference {
namespace {

TEST(EngineDeathTest, says_why_before_ggml_ends_the_process) {
  const auto abort_heard = [] {
    before_abort([](const char* message) { std::fprintf(stderr, "heard: %s\n", message); });
    GGML_ABORT("a GPU failed");
  };
  EXPECT_DEATH(abort_heard(), "heard: .*a GPU failed");
}

}  // namespace
}  // namespace puna::inference
