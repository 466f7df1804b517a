#include "os/hardware.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <map>
#include <set>
#include <string_view>

#include "base/text.h"
#include "os/file.h"

namespace puna::os {
namespace {

using std::filesystem::path;

// Absent files are the normal case here: each kernel, architecture and container shows others.
std::string text_of(const path& file) {
  return read_file(file, mib(4)).value_or(std::string());
}

std::optional<std::uint64_t> number(std::string_view text) {
  text = trim(text);
  std::uint64_t out = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), out);
  if (parsed.ec != std::errc() || text.empty()) return std::nullopt;
  return out;
}

// The value in "key   : value" or "key=value"; empty when there is none.
std::string_view value_of(std::string_view line, std::string_view key, char separator) {
  const auto at = line.find(separator);
  if (at == std::string_view::npos || trim(line.substr(0, at)) != key) return {};
  return trim(line.substr(at + 1));
}

// How many numbers a list such as "0-3,8" names.
std::uint32_t count_of_list(std::string_view list) {
  std::uint64_t count = 0;
  for (const auto part : split(trim(list), ',')) {
    const auto dash = part.find('-');
    const auto first = number(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : number(part.substr(dash + 1));
    if (first && last && *last >= *first) count += *last - *first + 1;
  }
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(count, std::numeric_limits<std::uint32_t>::max()));
}

bool matters(std::string_view feature) {
  constexpr std::array<std::string_view, 34> kFeatures = {
      "sse3",        "ssse3",      "sse4_1",   "sse4_2",   "avx",      "avx2",     "f16c",        "fma",         "bmi2",
      "avx_vnni",    "avx512f",    "avx512bw", "avx512vl", "avx512dq", "avx512cd", "avx512_vnni", "avx512_bf16", "avx512_fp16",
      "avx512_vbmi", "avx512vbmi", "amx_tile", "amx_int8", "amx_bf16", "amx_fp16", "asimd",       "asimdhp",     "fphp",
      "asimddp",     "i8mm",       "bf16",     "sve",      "sve2",     "sme",      "svei8mm"};
  return std::ranges::find(kFeatures, feature) != kFeatures.end();
}

void read_cpu(const path& root, HardwareInfo& info) {
  const std::string cpuinfo = text_of(root / "proc/cpuinfo");
  std::set<std::pair<std::string, std::string>> cores;
  std::string package;
  for (const auto line : split(cpuinfo, '\n')) {
    if (!value_of(line, "processor", ':').empty()) ++info.logical_cores;
    if (const auto id = value_of(line, "physical id", ':'); !id.empty()) package = id;
    if (const auto id = value_of(line, "core id", ':'); !id.empty()) cores.emplace(package, id);
    if (const auto name = value_of(line, "model name", ':'); !name.empty() && info.cpu_model.empty()) info.cpu_model = name;
    auto features = value_of(line, "flags", ':');
    if (features.empty()) features = value_of(line, "Features", ':');
    if (info.cpu_features.empty())
      for (const auto feature : split(features, ' '))
        if (matters(feature)) info.cpu_features.emplace_back(feature);
  }
  if (info.cpu_model.empty()) {
    const std::string board = text_of(root / "sys/firmware/devicetree/base/model");
    info.cpu_model = std::string(trim(std::string_view(board).substr(0, board.find('\0'))));
  }
  std::ranges::sort(info.cpu_features);
  if (const auto online = count_of_list(text_of(root / "sys/devices/system/cpu/online")); online > 0) info.logical_cores = online;
  info.logical_cores = std::max(info.logical_cores, 1u);

  std::set<std::string> siblings;
  for (std::uint32_t cpu = 0; cpu < info.logical_cores; ++cpu) {
    const std::string group = text_of(root / fmt::format("sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu));
    if (!group.empty()) siblings.insert(group);
  }
  info.physical_cores = static_cast<std::uint32_t>(!siblings.empty() ? siblings.size() : cores.size());
  if (info.physical_cores == 0) info.physical_cores = info.logical_cores;
}

void read_memory(const path& root, HardwareInfo& info) {
  const std::string meminfo = text_of(root / "proc/meminfo");
  const auto figure = [&](std::string_view key) -> std::uint64_t {
    for (const auto line : split(meminfo, '\n'))
      if (const auto value = value_of(line, key, ':'); !value.empty()) return number(value).value_or(0) * 1024;
    return 0;
  };
  info.memory_total_bytes = figure("MemTotal");
  info.memory_available_bytes = figure("MemAvailable");
  info.swap_total_bytes = figure("SwapTotal");
  info.swap_free_bytes = figure("SwapFree");
}

// The control groups this process is in, innermost first. Inside a container the path may be the host's and invisible here; the
// mount's own root then is the container's group.
std::vector<path> groups_of(const path& root, std::string_view controller) {
  std::vector<path> out;
  const std::string membership = text_of(root / "proc/self/cgroup");
  for (const auto line : split(membership, '\n')) {  // "0::/user.slice" (version 2), "5:cpu,cpuacct:/docker/1f" (version 1)
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) continue;
    const auto names = line.substr(first + 1, second - first - 1);
    const auto controllers = split(names, ',');
    path mount = root / "sys/fs/cgroup";
    if (!names.empty()) {
      if (std::ranges::find(controllers, controller) == controllers.end()) continue;
      mount /= std::filesystem::exists(mount / controller) ? controller : names;
    }
    path group = path(line.substr(second + 1)).relative_path().lexically_normal();
    for (; !group.empty() && group != "." && *group.begin() != ".."; group = group.parent_path()) out.push_back(mount / group);
    out.push_back(mount);
  }
  return out;
}

std::uint64_t reclaimable(const path& group) {
  std::uint64_t out = 0;
  const std::string stat = text_of(group / "memory.stat");
  for (const auto line : split(stat, '\n'))
    for (const std::string_view key : {"inactive_file", "total_inactive_file"})
      if (const auto value = value_of(line, key, ' '); !value.empty()) out = std::max(out, number(value).value_or(0));
  return out;
}

void apply_memory_limits(const path& root, HardwareInfo& info) {
  for (const auto& group : groups_of(root, "memory")) {
    auto limit = number(text_of(group / "memory.max"));
    if (!limit) limit = number(text_of(group / "memory.limit_in_bytes"));
    if (!limit || (info.memory_total_bytes > 0 && *limit >= info.memory_total_bytes))
      continue;  // "unlimited" is a huge number in version 1
    auto used = number(text_of(group / "memory.current"));
    if (!used) used = number(text_of(group / "memory.usage_in_bytes"));
    const std::uint64_t in_use = used.value_or(0) - std::min(used.value_or(0), reclaimable(group));
    info.memory_limit_bytes = std::min(info.memory_limit_bytes.value_or(*limit), *limit);
    info.memory_available_bytes = std::min(info.memory_available_bytes, *limit - std::min(*limit, in_use));
  }
}

void apply_cpu_limits(const path& root, HardwareInfo& info) {
  info.usable_cores = info.logical_cores;
  const std::string status = text_of(root / "proc/self/status");
  for (const auto line : split(status, '\n'))
    if (const auto allowed = count_of_list(value_of(line, "Cpus_allowed_list", ':')); allowed > 0)
      info.usable_cores = std::min(info.usable_cores, allowed);
  for (const auto& group : groups_of(root, "cpu")) {
    const std::string both = text_of(group / "cpu.max");  // "150000 100000", or "max 100000"
    auto quota = number(both);
    auto period = number(std::string_view(both).substr(std::min(both.find(' '), both.size())));
    if (both.empty()) {
      quota = number(text_of(group / "cpu.cfs_quota_us"));  // -1: none
      period = number(text_of(group / "cpu.cfs_period_us"));
    }
    if (!quota || !period || *period == 0) continue;
    const std::uint64_t cores = (*quota + *period - 1) / *period;
    info.usable_cores = static_cast<std::uint32_t>(std::min<std::uint64_t>(info.usable_cores, std::max<std::uint64_t>(cores, 1)));
  }
}

void read_system(const path& root, HardwareInfo& info) {
  info.kernel = std::string(trim(text_of(root / "proc/sys/kernel/osrelease")));
  utsname name{};
  if (::uname(&name) == 0) info.architecture = name.machine;
  std::string release = text_of(root / "etc/os-release");
  if (release.empty()) release = text_of(root / "usr/lib/os-release");
  for (const auto line : split(release, '\n')) {
    auto value = value_of(line, "PRETTY_NAME", '=');
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    if (!value.empty()) info.os_name = value;
  }
}

}  // namespace

HardwareInfo probe_hardware(const path& root) {
  HardwareInfo info;
  read_cpu(root, info);
  read_memory(root, info);
  apply_memory_limits(root, info);
  apply_cpu_limits(root, info);
  read_system(root, info);
  return info;
}

MemoryNow probe_memory(const path& root) {
  HardwareInfo info;
  read_memory(root, info);
  const std::uint64_t whole_machine = info.memory_available_bytes;
  apply_memory_limits(root, info);
  return {.total = Bytes(info.memory_limit_bytes.value_or(info.memory_total_bytes)),
          .available = Bytes(info.memory_available_bytes),
          .limited = info.memory_available_bytes < whole_machine};
}

}  // namespace puna::os
