#include "os/hardware.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "base/units.h"
#include "os/file.h"
#include "os/temporary_folder.h"

namespace puna::os {
namespace {

using testing::ElementsAre;

// A machine as its files show it.
class Machine : public testing::Test {
 protected:
  void file(const std::string& name, std::string_view text) {
    std::filesystem::create_directories((root_.path() / name).parent_path());
    ASSERT_TRUE(write_file_atomic(root_.path() / name, text));
  }
  void four_threads_on_two_cores() {
    std::string cpuinfo;
    for (int cpu = 0; cpu < 4; ++cpu)
      cpuinfo += fmt::format(
          "processor\t: {}\nmodel name\t: Fast CPU 9000\nphysical id\t: 0\ncore id\t\t: {}\nflags\t\t: fpu sse3 avx2 amx_tile\n\n", cpu,
          cpu / 2);
    file("proc/cpuinfo", cpuinfo);
    file("proc/meminfo",
         "MemTotal:       16777216 kB\nMemFree:         1000000 kB\nMemAvailable:    8388608 kB\nSwapTotal:  1024 kB\nSwapFree: 512 kB\n");
  }
  HardwareInfo probe() const { return probe_hardware(root_.path()); }

  TemporaryFolder root_ = TemporaryFolder::create().value();
};

TEST_F(Machine, tells_cores_from_threads_and_names_what_inference_needs) {
  four_threads_on_two_cores();
  const auto info = probe();
  EXPECT_EQ(info.cpu_model, "Fast CPU 9000");
  EXPECT_EQ(info.logical_cores, 4u);
  EXPECT_EQ(info.physical_cores, 2u);
  EXPECT_EQ(info.usable_cores, 4u);
  EXPECT_THAT(info.cpu_features, ElementsAre("amx_tile", "avx2", "sse3"));
  EXPECT_EQ(info.memory_total_bytes, gib(16).count);
  EXPECT_EQ(info.memory_available_bytes, gib(8).count);
  EXPECT_EQ(info.swap_free_bytes, kib(512).count);
  EXPECT_EQ(info.memory_limit_bytes, std::nullopt);
}

TEST_F(Machine, obeys_the_limits_of_a_version_2_control_group_and_its_parents) {
  four_threads_on_two_cores();
  file("proc/self/cgroup", "0::/box/inner\n");
  file("sys/fs/cgroup/box/inner/memory.max", "max\n");
  file("sys/fs/cgroup/box/memory.max", "2147483648\n");
  file("sys/fs/cgroup/box/memory.current", "1073741824\n");
  file("sys/fs/cgroup/box/memory.stat", "anon 1\ninactive_file 536870912\n");
  file("sys/fs/cgroup/box/cpu.max", "150000 100000\n");
  const auto info = probe();
  EXPECT_EQ(info.memory_limit_bytes, gib(2).count);
  EXPECT_EQ(info.memory_available_bytes, mib(1536).count);
  EXPECT_EQ(info.usable_cores, 2u);
}

TEST_F(Machine, obeys_the_limits_of_a_version_1_container_whose_path_is_the_hosts) {
  four_threads_on_two_cores();
  file("proc/self/cgroup", "4:cpu,cpuacct:/docker/1f\n2:memory:/docker/1f\n0::/docker/1f\n");
  file("sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n");
  file("sys/fs/cgroup/memory/memory.usage_in_bytes", "0\n");
  file("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  file("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  const auto info = probe();
  EXPECT_EQ(info.memory_limit_bytes, gib(1).count);
  EXPECT_EQ(info.memory_available_bytes, gib(1).count);
  EXPECT_EQ(info.usable_cores, 4u);
}

TEST_F(Machine, takes_version_1s_huge_number_as_no_limit) {
  four_threads_on_two_cores();
  file("proc/self/cgroup", "2:memory:/\n");
  file("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(probe().memory_limit_bytes, std::nullopt);
}

TEST_F(Machine, counts_only_the_processors_it_may_run_on) {
  four_threads_on_two_cores();
  file("proc/self/status", "Name:\tx\nCpus_allowed_list:\t0,2-3\n");
  EXPECT_EQ(probe().usable_cores, 3u);
}

TEST_F(Machine, an_arm_board_is_known_by_its_device_tree) {
  file("proc/cpuinfo", "processor\t: 0\nFeatures\t: fp asimd asimddp i8mm\n\nprocessor\t: 1\n");
  file("sys/firmware/devicetree/base/model", std::string_view("Raspberry Pi 5\0", 15));
  const auto info = probe();
  EXPECT_EQ(info.cpu_model, "Raspberry Pi 5");
  EXPECT_EQ(info.physical_cores, 2u);
  EXPECT_THAT(info.cpu_features, ElementsAre("asimd", "asimddp", "i8mm"));
}

TEST_F(Machine, without_any_file_there_is_one_core_and_no_crash) {
  const auto info = probe();
  EXPECT_EQ(info.logical_cores, 1u);
  EXPECT_EQ(info.usable_cores, 1u);
  EXPECT_EQ(info.memory_total_bytes, 0u);
}

TEST(Hardware, of_this_machine_is_found_and_becomes_json) {
  const auto info = probe_hardware();
  EXPECT_GT(info.memory_total_bytes, 0u);
  EXPECT_LE(info.memory_available_bytes, info.memory_total_bytes);
  EXPECT_LE(info.usable_cores, info.logical_cores);
  EXPECT_LE(info.physical_cores, info.logical_cores);
  EXPECT_FALSE(info.kernel.empty());
  EXPECT_EQ(json::encode(info).at("logical_cores").to_number<std::uint32_t>(), info.logical_cores);
}

}  // namespace
}  // namespace puna::os
