#include "os/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "os/atomic_file.h"

namespace puna::os {

Result<UniqueFd> open_regular_file(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a named pipe would otherwise wait for a writer.
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) return fail(errno_error(errno, fmt::format("cannot open {}", path.string())));
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return fail(errno_error(errno, fmt::format("cannot examine {}", path.string())));
  if (S_ISDIR(info.st_mode)) return fail(Code::invalid_argument, fmt::format("{} is a folder, not a file", path.string()));
  if (!S_ISREG(info.st_mode)) return fail(Code::invalid_argument, fmt::format("{} is not a regular file", path.string()));
  return file;
}

Result<std::string> read_file(const std::filesystem::path& path, Bytes limit) {
  PUNA_TRY(const UniqueFd file, open_regular_file(path));
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return fail(errno_error(errno, fmt::format("cannot examine {}", path.string())));
  const auto too_large = [&] { return fail(Code::too_large, fmt::format("{} is larger than {}", path.string(), format_bytes(limit))); };
  if (static_cast<std::uint64_t>(info.st_size) > limit.count) return too_large();

  std::string out;
  std::size_t filled = 0;
  while (true) {
    // One byte beyond the known size shows the end of the file without another round.
    if (filled == out.size()) out.resize(std::max<std::size_t>({static_cast<std::size_t>(info.st_size) + 1, filled * 2, 4096}));
    const ssize_t got = ::read(file.get(), out.data() + filled, out.size() - filled);
    if (got < 0) {
      if (errno == EINTR) continue;
      return fail(errno_error(errno, fmt::format("cannot read {}", path.string())));
    }
    filled += static_cast<std::size_t>(got);
    if (filled > limit.count) return too_large();
    if (got == 0) break;
  }
  out.resize(filled);
  return out;
}

Result<> write_file_atomic(const std::filesystem::path& path, std::string_view bytes, mode_t mode) {
  std::filesystem::path target = path;
  std::error_code error;
  if (std::filesystem::is_symlink(std::filesystem::symlink_status(path, error))) {
    target = std::filesystem::canonical(path, error);
    if (error) return fail(errno_error(error.value(), fmt::format("cannot follow the link {}", path.string())));
  }
  PUNA_TRY(auto file, AtomicFile::create(target, mode));
  PUNA_CHECK(file.write(bytes));
  return file.commit();
}

}  // namespace puna::os
