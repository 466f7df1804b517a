#include "os/usage.h"

#include <unistd.h>

#include <charconv>
#include <filesystem>

#include "base/text.h"
#include "os/file.h"

namespace puna::os {

// statm counts pages; its second field is the resident set (proc(5)).
Result<Bytes> resident_memory(pid_t pid) {
  PUNA_TRY(const auto text, read_file("/proc/" + std::to_string(pid) + "/statm", kib(4)));
  const auto fields = split(trim(text), ' ');
  std::uint64_t pages = 0;
  if (fields.size() < 2 || std::from_chars(fields[1].data(), fields[1].data() + fields[1].size(), pages).ec != std::errc{})
    return fail(Code::internal, "/proc gives no memory figures");
  return Bytes(pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
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
