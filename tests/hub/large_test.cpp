// What takes a while: files larger than 4 GiB, and the memory that they may take.
#include <fstream>

#include "hub_testing.h"

namespace puna::hub {
namespace {

using namespace testing_rig;

std::uint64_t most_resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::strtoull(line.c_str() + 6, nullptr, 10);
  return 0;
}

using Large = HubTest;

// ledger: T12
TEST_F(Large, a_file_above_4_gib_arrives_whole_in_flat_memory) {
  constexpr std::uint64_t kMemory = 160 * 1024;  // KiB: the double's buffers of 1 MiB a connection are among it
  constexpr std::uint64_t kSize = (4ULL << 30) + 4097;
  if (std::filesystem::space(folder.path()).available < 2 * kSize) GTEST_SKIP() << "the disk has not 8 GiB to spare";
  offer(model_file(kSize));
  start({{"transfer.piece", "8M"}, {"transfer.stall", "12s"}});
  const auto before = most_resident_kib();
  const auto job = rig->submit({.source = model});
  EXPECT_EQ(rig->queue->wait(job.id, Milliseconds(100'000))->state, wire::JobState::completed);
  EXPECT_LT(most_resident_kib() - before, kMemory);
  expect_costs({.resolves = 4});
}

}  // namespace
}  // namespace puna::hub
