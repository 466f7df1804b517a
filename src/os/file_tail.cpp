#include "os/file_tail.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace puna::os {
namespace {

constexpr std::size_t kBlock = 64 * 1024;
constexpr std::size_t kLongestPending = 1024 * 1024;  // a line longer than this is given in pieces

}  // namespace

Result<FileTail> FileTail::open(const std::filesystem::path& file, std::size_t lines) {
  UniqueFd watch(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!watch) return fail(errno_error(errno, "watching files"));
  const auto folder = file.parent_path();
  if (::inotify_add_watch(watch.get(), folder.c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
    return fail(errno_error(errno, folder.string()));
  FileTail tail(file, std::move(watch));
  PUNA_CHECK(tail.reopen());
  PUNA_CHECK(tail.skip_to_tail(lines));
  return tail;
}

Result<> FileTail::reopen() {
  open_file_.reset(::open(file_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!open_file_ && errno != ENOENT) return fail(errno_error(errno, file_.string()));
  struct stat status{};
  inode_ = open_file_ && ::fstat(open_file_.get(), &status) == 0 ? status.st_ino : 0;
  return {};
}

bool FileTail::replaced() const {
  struct stat status{};
  return ::stat(file_.c_str(), &status) == 0 && status.st_ino != inode_;
}

Result<> FileTail::skip_to_tail(std::size_t lines) {
  if (!open_file_) return {};
  off_t position = ::lseek(open_file_.get(), 0, SEEK_END);
  std::array<char, kBlock> block{};
  std::size_t breaks_wanted = lines + 1;  // the one before the first wanted line
  while (position > 0) {
    const auto size = std::min<off_t>(position, static_cast<off_t>(kBlock));
    const auto got = ::pread(open_file_.get(), block.data(), static_cast<std::size_t>(size), position - size);
    if (got != size) return fail(errno_error(got < 0 ? errno : EIO, file_.string()));
    for (off_t i = size; i-- > 0;) {
      if (block[static_cast<std::size_t>(i)] != '\n' || --breaks_wanted > 0) continue;
      ::lseek(open_file_.get(), position - size + i + 1, SEEK_SET);
      return {};
    }
    position -= size;
  }
  ::lseek(open_file_.get(), 0, SEEK_SET);
  return {};
}

Result<> FileTail::take_rest() {
  if (!open_file_) return {};
  std::array<char, kBlock> block{};
  for (;;) {
    const auto got = ::read(open_file_.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(errno_error(errno, file_.string()));
    if (got == 0) return {};
    pending_.append(block.data(), static_cast<std::size_t>(got));
  }
}

Result<std::vector<std::string>> FileTail::read() {
  std::array<char, 4096> events{};
  while (::read(watch_.get(), events.data(), events.size()) > 0) continue;  // what they say is looked up anew below
  PUNA_CHECK(take_rest());
  if (replaced()) {
    PUNA_CHECK(reopen());
    PUNA_CHECK(take_rest());
  }
  std::vector<std::string> lines;
  std::size_t start = 0;
  for (std::size_t end; (end = pending_.find('\n', start)) != std::string::npos; start = end + 1)
    lines.push_back(pending_.substr(start, end - start));
  pending_.erase(0, start);
  if (pending_.size() > kLongestPending) lines.push_back(std::exchange(pending_, {}));
  return lines;
}

}  // namespace puna::os
