#include "os/nvidia.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace puna::os {
namespace {

TEST(Nvidia, a_machine_without_the_driver_has_no_such_gpus) {
  EXPECT_EQ(probe_nvidia("libpuna-has-no-such-library.so").value(), std::nullopt);
}

TEST(Nvidia, tells_the_driver_and_its_gpus) {
  const auto driver = probe_nvidia(PUNA_FAKE_NVML_LIBRARY).value();
  ASSERT_TRUE(driver);
  EXPECT_EQ(driver->version, "555.42.06");
  ASSERT_EQ(driver->gpus.size(), 2U);
  EXPECT_EQ(driver->gpus[1].name, "NVIDIA Fake 4090");
  EXPECT_EQ(driver->gpus[1].memory_total_bytes, 24ULL << 30U);
}

TEST(Nvidia, a_driver_that_does_not_answer_is_an_error_in_its_own_words) {
  ::setenv("PUNA_FAKE_NVML", "broken", 1);
  const auto driver = probe_nvidia(PUNA_FAKE_NVML_LIBRARY);
  ::unsetenv("PUNA_FAKE_NVML");
  ASSERT_FALSE(driver);
  EXPECT_EQ(driver.error().text(), "NVIDIA's driver says: Driver/library version mismatch (nvmlInit_v2)");
}

}  // namespace
}  // namespace puna::os
