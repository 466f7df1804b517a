#include "os/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <string>

#include "os/process.h"

namespace puna::os {
namespace {

// The holder writes its number after it got the lock, so a reader may find none yet.
std::string describe_holder(int descriptor) {
  std::array<char, 32> text{};
  const ssize_t got = ::pread(descriptor, text.data(), text.size() - 1, 0);
  pid_t pid = 0;
  if (got > 0) std::from_chars(text.data(), text.data() + got, pid);
  if (pid <= 0) return "another process";
  const std::string name = process_name(pid);
  return name.empty() ? fmt::format("process {}", pid) : fmt::format("{} (process {})", name, pid);
}

}  // namespace

Result<FileLock> FileLock::acquire(const std::filesystem::path& path) {
  UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  if (!file) return fail(errno_error(errno, fmt::format("cannot open the lock {}", path.string())));
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) return fail(Code::conflict, fmt::format("{} is held by {}", path.string(), describe_holder(file.get())));
    return fail(errno_error(errno, fmt::format("cannot lock {}", path.string())));
  }
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(file.get(), 0) != 0) return fail(errno_error(errno, fmt::format("cannot write the lock {}", path.string())));
  auto written = write_all(file.get(), pid);
  if (!written) return fail(std::move(written).error().within(path.string()));
  return FileLock(std::move(file));
}

}  // namespace puna::os
