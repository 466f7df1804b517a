#include "worker/engine_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace puna::worker {
namespace {

using enum EngineLog::Severity;
using wire::WorkerFault;

TEST(EngineLog, joins_the_pieces_of_a_line_and_remembers_errors) {
  EngineLog log;
  log.add(info, "loading ");
  log.add(continuation, "...\n");
  log.add(error, "load: cannot ");
  log.add(continuation, "go on\nsecond line\n");
  EXPECT_THAT(log.errors(), testing::ElementsAre("load: cannot go on", "second line"));
}

TEST(EngineLog, keeps_a_bounded_number_of_errors) {
  EngineLog log;
  for (int i = 0; i < 40; ++i) log.add(error, "again\n");
  EXPECT_LE(log.errors().size(), 16U);
}

// ledger: M12
TEST(LoadFailure, tells_an_unknown_architecture_from_a_damaged_file) {
  const auto unknown = explain_load_failure({"load: error loading model: unknown model architecture: 'gpt9'", "failed to load model"});
  EXPECT_EQ(unknown.fault, WorkerFault::model_unsupported);
  EXPECT_EQ(unknown.message, "load: error loading model: unknown model architecture: 'gpt9'");
  EXPECT_EQ(explain_load_failure({"missing tensor 'output_norm.weight'"}).fault, WorkerFault::model_malformed);
}

// ledger: M12
TEST(LoadFailure, recognises_a_lack_of_memory_behind_later_errors) {
  const auto failure = explain_load_failure({"ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size 77309411328",
                                             "llama_init_from_model: failed to initialize the context", "failed to create context"});
  EXPECT_EQ(failure.fault, WorkerFault::out_of_memory);
  EXPECT_NE(failure.message.find("77309411328"), std::string::npos);
}

TEST(LoadFailure, says_so_when_the_engine_was_silent) {
  EXPECT_FALSE(explain_load_failure({}).message.empty());
}

}  // namespace
}  // namespace puna::worker
