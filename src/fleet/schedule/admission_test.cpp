#include "fleet/schedule/admission.h"

#include <gtest/gtest.h>

namespace puna::fleet {
namespace {

TEST(Admission, counts_each_place_for_itself) {
  const MemoryPools capacity = {{kSystemMemory, gib(4)}, {"CUDA0", gib(8)}};
  EXPECT_TRUE(fits({{kSystemMemory, gib(4)}, {"CUDA0", gib(8)}}, {}, capacity));
  EXPECT_FALSE(fits({{kSystemMemory, gib(1)}, {"CUDA0", gib(8)}}, {{"CUDA0", gib(1)}}, capacity));
  EXPECT_TRUE(fits({{"unknown", gib(100)}}, {}, capacity));
}

TEST(Admission, shows_the_sum_and_who_holds_what) {
  const MemoryNeed need = {.weights = mib(4300), .context = mib(614), .compute = mib(300), .slots = 4, .context_length = 4096};
  const MemoryBudget budget = {.capacity = {{kSystemMemory, Bytes(gib(15).count / 2)}}, .total = gib(16)};
  EXPECT_EQ(arithmetic(need, budget, {{.model = "qwen", .pools = {{kSystemMemory, gib(3)}}, .busy = true}}),
            "needs 5.09 GiB: 4.20 GiB weights + 614 MiB KV for 4 x 4096 tokens + 300 MiB compute; 7.50 GiB of 16.0 GiB are available to "
            "models, 3.00 GiB held by qwen (busy)");
}

TEST(Admission, says_which_file_is_missing) {
  const auto refused = require_files({"/no/such/model.gguf"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::not_found);
  EXPECT_NE(refused.error().message.find("/no/such/model.gguf"), std::string::npos);
}

}  // namespace
}  // namespace puna::fleet
