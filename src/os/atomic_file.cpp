#include "os/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/id.h"

namespace puna::os {
namespace {

std::filesystem::path folder_of(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

std::filesystem::path fresh_name(const std::filesystem::path& target) {
  return folder_of(target) / fmt::format(".puna-{}.tmp", new_ulid());
}

// Not every file system knows RENAME_NOREPLACE; a hard link refuses an existing name everywhere.
int rename_keeping_existing(const char* from, const char* to) {
  if (::renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return -1;
  if (::link(from, to) != 0) return -1;
  return ::unlink(from);
}

int give_name(int unnamed, const std::filesystem::path& name) {
  return ::linkat(AT_FDCWD, fmt::format("/proc/self/fd/{}", unnamed).c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW);
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path target, std::filesystem::path temporary, UniqueFd descriptor)
    : target_(std::move(target)), temporary_(std::move(temporary)), descriptor_(std::move(descriptor)) {}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : target_(std::move(other.target_)),
      temporary_(std::exchange(other.temporary_, std::filesystem::path())),
      descriptor_(std::move(other.descriptor_)) {}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<AtomicFile> AtomicFile::create(const std::filesystem::path& target, mode_t mode) {
  if (!target.has_filename()) return fail(Code::invalid_argument, fmt::format("'{}' names no file", target.string()));
  const std::filesystem::path folder = folder_of(target);
  std::filesystem::path temporary;
  UniqueFd file(::open(folder.c_str(), O_RDWR | O_TMPFILE | O_CLOEXEC, mode));
  if (!file && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
    temporary = fresh_name(target);
    file.reset(::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  }
  if (!file) return fail(errno_error(errno, fmt::format("cannot create a file in {}", folder.string())));
  AtomicFile out(target, std::move(temporary), std::move(file));
  // The umask may have taken bits away that the caller asked for.
  if (::fchmod(out.descriptor(), mode) != 0) return fail(errno_error(errno, fmt::format("cannot set the mode of {}", target.string())));
  return out;
}

Result<> AtomicFile::write(std::string_view bytes) {
  auto written = write_all(descriptor(), bytes);
  if (!written) return fail(std::move(written).error().within(target_.string()));
  return {};
}

Result<> AtomicFile::write(std::span<const std::byte> bytes) {
  return write(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

Result<> AtomicFile::commit(Existing existing) {
  if (::fsync(descriptor()) != 0) return fail(errno_error(errno, fmt::format("cannot sync {} to disk", target_.string())));
  PUNA_CHECK(give_its_name(existing));
  return sync_folder(folder_of(target_));
}

Result<> AtomicFile::commit_unsynced() {
  return give_its_name(Existing::replace);
}

Result<> AtomicFile::give_its_name(Existing existing) {
  int renamed = 0;
  if (temporary_.empty() && existing == Existing::keep) {
    renamed = give_name(descriptor(), target_);
  } else {
    if (temporary_.empty()) {
      const auto name = fresh_name(target_);
      if (give_name(descriptor(), name) != 0) return fail(errno_error(errno, fmt::format("cannot put {} in place", target_.string())));
      temporary_ = name;
    }
    renamed = existing == Existing::replace ? ::rename(temporary_.c_str(), target_.c_str())
                                            : rename_keeping_existing(temporary_.c_str(), target_.c_str());
  }
  if (renamed != 0) {
    const int reason = errno;
    if (reason == EEXIST) return fail(Code::already_exists, fmt::format("{} exists already", target_.string()));
    return fail(errno_error(reason, fmt::format("cannot put {} in place", target_.string())));
  }
  temporary_.clear();
  return {};
}

Result<> sync_folder(const std::filesystem::path& folder) {
  const UniqueFd descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor) return fail(errno_error(errno, fmt::format("cannot open the folder {}", folder.string())));
  // Some network file systems cannot sync a folder and say EINVAL; they order renames themselves.
  if (::fsync(descriptor.get()) != 0 && errno != EINVAL)
    return fail(errno_error(errno, fmt::format("cannot sync the folder {} to disk", folder.string())));
  return {};
}

}  // namespace puna::os
