#include "os/memory_file.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>

namespace puna::os {

Result<MemoryFile> MemoryFile::create() {
  UniqueFd descriptor(::memfd_create("puna", MFD_CLOEXEC));
  if (!descriptor) return fail(errno_error(errno, "cannot create a file in memory"));
  return MemoryFile(std::move(descriptor));
}

std::filesystem::path MemoryFile::path() const {
  return fmt::format("/proc/self/fd/{}", descriptor());
}

}  // namespace puna::os
