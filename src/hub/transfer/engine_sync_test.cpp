// What a disk that cannot keep what it took costs.
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "hub/transfer/engine_testing.h"

namespace {
std::atomic<bool> disk_fails = false;
}

// Instead of the C library's, for this test program.
extern "C" int fdatasync(int descriptor) {
  if (disk_fails) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_fdatasync, descriptor));
}

namespace puna::hub::transfer {
namespace {

using namespace testing_rig;
using testing::HasSubstr;

class FailingDisk : public EngineTest {
 protected:
  void SetUp() override { disk_fails = true; }
  void TearDown() override { disk_fails = false; }
};

TEST_F(FailingDisk, is_named_and_nothing_is_called_complete) {
  const auto wanted = serve(noise(2'000'000));
  start();
  const auto refusal = refusal_of(wanted);
  EXPECT_EQ(refusal.code, Code::internal);
  EXPECT_THAT(refusal.text(), HasSubstr("fails (input/output error): check its health"));
}

TEST_F(FailingDisk, that_is_well_again_gets_the_file) {
  const auto wanted = serve(noise(2'000'000));
  start();
  EXPECT_EQ(refusal_of(wanted).code, Code::internal);
  disk_fails = false;
  expect_brought(wanted);
}

}  // namespace
}  // namespace puna::hub::transfer
