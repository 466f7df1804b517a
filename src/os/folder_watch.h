// Being told that files come, go or change (inotify).
#pragma once

#include <filesystem>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "os/descriptor.h"

namespace puna::os {

// Watches single folders, not what lies below them. The kernel notes a change before the call that made it returns, so who asks pending()
// afterwards sees it. One thread reads; pending() and wake() may be called by any.
class FolderWatch {
 public:
  // Where the system grants no watches at all, add() fails, and the rest works.
  [[nodiscard]] static Result<FolderWatch> create();

  // Code::not_found without such a folder, Code::overloaded when the system has no watches left. Adding a folder again does nothing.
  [[nodiscard]] Result<> add(const std::filesystem::path& folder);
  // Those that are not among `folders` are watched no longer.
  void keep_only(const std::vector<std::filesystem::path>& folders);

  struct Change {
    std::filesystem::path folder;
    std::string name;  // in the folder; empty: the folder itself is gone or another one
  };
  struct Changes {
    std::vector<Change> changes;
    bool lost = false;  // there were more than the kernel keeps: look at everything
  };
  // Whether there is something to read.
  [[nodiscard]] bool pending() const;
  // What there is; never waits.
  [[nodiscard]] Result<Changes> read();
  // Until there is something to read, somebody calls wake(), a stop is requested, or the time is over (kForever: never).
  void wait(Milliseconds limit, const std::stop_token& stop) const;
  void wake() const;

 private:
  FolderWatch(UniqueFd notify, int refusal, UniqueFd bell) : notify_(std::move(notify)), refusal_(refusal), bell_(std::move(bell)) {}

  UniqueFd notify_;  // may be none
  int refusal_ = 0;  // errno then
  UniqueFd bell_;
  std::map<int, std::filesystem::path> folders_;  // by watch
  std::map<std::filesystem::path, int> watches_;
};

}  // namespace puna::os
