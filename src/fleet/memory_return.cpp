#include "fleet/memory_return.h"

#include <fmt/format.h>
#include <signal.h>

#include <cerrno>
#include <charconv>

#include "base/text.h"
#include "os/file.h"

namespace puna::fleet {
namespace {

// "NAME:	  123 kB" in a file of /proc; zero when it is not there.
Bytes figure(const std::string& file, std::string_view name) {
  const auto text = os::read_file(file, kib(64));
  if (!text) return {};
  for (const auto line : split(*text, '\n')) {
    if (!line.starts_with(name)) continue;
    const auto digits = trim(line.substr(name.size()));
    std::uint64_t count = 0;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), count).ec == std::errc()) return kib(count);
  }
  return {};
}

}  // namespace

MemoryMark mark_memory(pid_t pid) {
  return {figure(fmt::format("/proc/{}/status", pid), "RssAnon:"), figure("/proc/meminfo", "MemAvailable:")};
}

MemoryReturn check_memory_return(pid_t pid, const MemoryMark& before) {
  const bool gone = ::kill(pid, 0) != 0 && errno == ESRCH;
  return {.gone = gone,
          .returned = gone ? before.own : Bytes(),
          .available_before = before.available,
          .available_after = figure("/proc/meminfo", "MemAvailable:")};
}

}  // namespace puna::fleet
