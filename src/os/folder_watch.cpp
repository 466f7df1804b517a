#include "os/folder_watch.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <set>

namespace puna::os {
namespace {

constexpr std::uint32_t kEvents = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB |
                                  IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

}  // namespace

Result<FolderWatch> FolderWatch::create() {
  UniqueFd notify(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  const int refusal = errno;
  UniqueFd bell(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!bell) return fail(errno_error(errno, "cannot watch folders"));
  return FolderWatch(std::move(notify), refusal, std::move(bell));
}

Result<> FolderWatch::add(const std::filesystem::path& folder) {
  if (watches_.contains(folder)) return {};
  if (!notify_) return fail(Code::overloaded, errno_error(refusal_, "cannot watch folders").message);
  const int watch = ::inotify_add_watch(notify_.get(), folder.c_str(), kEvents);
  if (watch < 0 && errno == ENOSPC)
    return fail(Code::overloaded,
                fmt::format("cannot watch {}: the system's limit fs.inotify.max_user_watches is reached", folder.string()));
  if (watch < 0) return fail(errno_error(errno, fmt::format("cannot watch {}", folder.string())));
  if (const auto other = folders_.find(watch); other != folders_.end()) watches_.erase(other->second);  // one folder under two names
  folders_[watch] = folder;
  watches_[folder] = watch;
  return {};
}

void FolderWatch::keep_only(const std::vector<std::filesystem::path>& folders) {
  const std::set<std::filesystem::path> wanted(folders.begin(), folders.end());
  std::erase_if(watches_, [&](const auto& entry) {
    if (wanted.contains(entry.first)) return false;
    folders_.erase(entry.second);
    ::inotify_rm_watch(notify_.get(), entry.second);
    return true;
  });
}

bool FolderWatch::pending() const {
  if (!notify_) return false;
  pollfd poll{notify_.get(), POLLIN, 0};
  return ::poll(&poll, 1, 0) > 0;
}

Result<FolderWatch::Changes> FolderWatch::read() {
  Changes out;
  if (!notify_) return out;
  alignas(inotify_event) std::array<char, 64 * (sizeof(inotify_event) + NAME_MAX + 1)> buffer{};
  while (true) {
    const ssize_t size = ::read(notify_.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return out;
    if (size < 0) return fail(errno_error(errno, "cannot read changes of folders"));
    for (ssize_t at = 0; at < size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      at += static_cast<ssize_t>(sizeof(inotify_event)) + event->len;
      if ((event->mask & IN_Q_OVERFLOW) != 0) out.lost = true;
      const auto folder = folders_.find(event->wd);
      if (folder == folders_.end()) continue;
      out.changes.push_back({folder->second, event->len > 0 ? std::string(event->name) : std::string()});
      if ((event->mask & IN_MOVE_SELF) != 0) ::inotify_rm_watch(notify_.get(), event->wd);
      if ((event->mask & (IN_IGNORED | IN_MOVE_SELF)) != 0) {
        watches_.erase(folder->second);
        folders_.erase(folder);
      }
    }
  }
}

void FolderWatch::wait(Milliseconds limit, const std::stop_token& stop) const {
  const std::stop_callback ring(stop, [this] { wake(); });
  std::array<pollfd, 2> polls = {pollfd{notify_.get(), POLLIN, 0}, pollfd{bell_.get(), POLLIN, 0}};
  const int timeout = limit == kForever ? -1 : static_cast<int>(std::min<std::int64_t>(limit.count(), INT_MAX));
  if (::poll(polls.data(), polls.size(), timeout) > 0 && (polls[1].revents & POLLIN) != 0) {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t drained = ::read(bell_.get(), &count, sizeof count);
  }
}

void FolderWatch::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t rung = ::write(bell_.get(), &one, sizeof one);  // a full counter rings, too
}

}  // namespace puna::os
