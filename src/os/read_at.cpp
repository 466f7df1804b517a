#include "os/read_at.h"

#include <unistd.h>

#include <cerrno>

namespace puna::os {

Result<std::size_t> read_at(int descriptor, std::uint64_t offset, std::span<std::byte> to) {
  std::size_t filled = 0;
  while (filled < to.size()) {
    const ssize_t got = ::pread(descriptor, to.data() + filled, to.size() - filled, static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(errno_error(errno, "cannot read the file"));
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

}  // namespace puna::os
