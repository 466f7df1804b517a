#include "os/usage.h"

#include <unistd.h>

#include <array>
#include <charconv>
#include <filesystem>

#include "base/text.h"
#include "os/file.h"

namespace puna::os {

// statm counts pages; its second field is the resident set, its third what of that is shared: files and shared memory (proc(5)).
Result<ProcessMemory> process_memory(pid_t pid) {
  PUNA_TRY(const auto text, read_file("/proc/" + std::to_string(pid) + "/statm", kib(4)));
  const auto fields = split(trim(text), ' ');
  if (fields.size() < 3) return fail(Code::internal, "/proc gives no memory figures");
  std::array<std::uint64_t, 2> pages{};
  for (std::size_t i = 0; i < pages.size(); ++i) {
    const auto field = fields[i + 1];
    if (std::from_chars(field.data(), field.data() + field.size(), pages[i]).ec != std::errc{})
      return fail(Code::internal, "/proc gives no memory figures");
  }
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return ProcessMemory{.resident = Bytes(pages[0] * page), .anonymous = Bytes(pages[0] * page) - Bytes(pages[1] * page)};
}

Result<Bytes> resident_memory(pid_t pid) {
  PUNA_TRY(const auto memory, process_memory(pid));
  return memory.resident;
}

// Fields 14 and 15 of stat count clock ticks in user and in kernel mode; the name before them may hold anything (proc(5)).
Result<ProcessUsage> process_usage(pid_t pid) {
  PUNA_TRY(const auto text, read_file("/proc/" + std::to_string(pid) + "/stat", kib(4)));
  const auto fields = split(trim(std::string_view(text).substr(std::min(text.rfind(')') + 1, text.size()))), ' ');
  constexpr std::size_t kUser = 11, kKernel = 12;  // counted behind the name
  std::uint64_t ticks = 0;
  for (const auto at : {kUser, kKernel}) {
    std::uint64_t count = 0;
    if (fields.size() <= at || std::from_chars(fields[at].data(), fields[at].data() + fields[at].size(), count).ec != std::errc{})
      return fail(Code::internal, "/proc gives no times");
    ticks += count;
  }
  PUNA_TRY(const auto resident, resident_memory(pid));
  const auto per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return ProcessUsage{.resident = resident, .cpu = Milliseconds(ticks * 1000 / per_second)};
}

Usage own_usage() {
  Usage usage;
  usage.resident = resident_memory(::getpid()).value_or(Bytes{});
  std::error_code ignored_race;  // a descriptor may close while they are counted
  for (std::filesystem::directory_iterator it("/proc/self/fd", ignored_race), end; it != end; it.increment(ignored_race))
    ++usage.descriptors;
  if (usage.descriptors > 0) --usage.descriptors;  // the one that counts
  return usage;
}

}  // namespace puna::os
