#include "os/place_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "os/atomic_file.h"
#include "os/disk.h"
#include "os/file.h"

namespace puna::os {
namespace {

constexpr std::size_t kChunk = 1 << 20;

// A second name for the opened file itself, whatever its path has come to mean since. False where the file system does not offer it.
Result<bool> hard_link(int source, const std::filesystem::path& to) {
  const std::string from = fmt::format("/proc/self/fd/{}", source);
  if (::linkat(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), AT_SYMLINK_FOLLOW) == 0) {
    if (::fsync(source) != 0) return fail(errno_error(errno, fmt::format("cannot sync {} to disk", to.string())));
    PUNA_CHECK(sync_folder(to.has_parent_path() ? to.parent_path() : "."));
    return true;
  }
  const int reason = errno;
  switch (reason) {
    case EEXIST:
      return fail(Code::already_exists, fmt::format("{} exists already", to.string()));
    case EXDEV:  // another file system
    case EPERM:  // links are off, or the file belongs to somebody else
    case EACCES:
    case EMLINK:
    case EOPNOTSUPP:
    case ENOENT:  // no /proc
      return false;
    default:
      return fail(errno_error(reason, fmt::format("cannot link {}", to.string())));
  }
}

Result<> copy_bytes(int source, Bytes total, AtomicFile& out, const std::stop_token& stop, const CopyProgress& progress) {
  std::vector<char> chunk(kChunk);
  Bytes done;
  if (progress) progress(done, total);
  while (true) {
    if (stop.stop_requested()) return fail(Code::cancelled, "the copy was cancelled");
    const ssize_t got = ::read(source, chunk.data(), chunk.size());
    if (got < 0) {
      if (errno == EINTR) continue;
      return fail(errno_error(errno, "cannot read"));
    }
    if (got == 0) return {};
    PUNA_CHECK(out.write(std::string_view(chunk.data(), static_cast<std::size_t>(got))));
    done += Bytes(static_cast<std::uint64_t>(got));
    if (progress) progress(done, total);
  }
}

}  // namespace

Result<CloneKind> place_file(const std::filesystem::path& from, const std::filesystem::path& to, std::stop_token stop,
                             const CopyProgress& progress) {
  PUNA_TRY(const UniqueFd source, open_regular_file(from));
  struct stat info{};
  if (::fstat(source.get(), &info) != 0) return fail(errno_error(errno, fmt::format("cannot examine {}", from.string())));

  PUNA_TRY(auto out, AtomicFile::create(to));
  if (::ioctl(out.descriptor(), FICLONE, source.get()) == 0) {
    PUNA_CHECK(out.commit(Existing::keep));
    return CloneKind::reflink;
  }
  PUNA_TRY(const bool linked, hard_link(source.get(), to));
  if (linked) return CloneKind::hard_link;

  const Bytes size(static_cast<std::uint64_t>(info.st_size));
  PUNA_CHECK(require_disk_space(to, size));
  auto copied = copy_bytes(source.get(), size, out, stop, progress);
  if (!copied) return fail(std::move(copied).error().within(fmt::format("copying {}", from.string())));
  PUNA_CHECK(out.commit(Existing::keep));
  return CloneKind::copy;
}

}  // namespace puna::os
