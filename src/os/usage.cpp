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
