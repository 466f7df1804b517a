// Uploads in parts, as far as they came: kept so that another attempt goes on there.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace puna::hub::publish {

// Thread-safe; by place and content. Lives as long as the program: what a server keeps of an upload does not last much longer either.
template <class Upload>
class HalfSentMap {
 public:
  [[nodiscard]] std::optional<Upload> find(const std::string& key) const {
    const std::lock_guard lock(mutex_);
    const auto found = uploads_.find(key);
    return found == uploads_.end() ? std::nullopt : std::optional(found->second);
  }
  void keep(const std::string& key, Upload upload) {
    const std::lock_guard lock(mutex_);
    uploads_.insert_or_assign(key, std::move(upload));
  }
  void forget(const std::string& key) {
    const std::lock_guard lock(mutex_);
    uploads_.erase(key);
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Upload> uploads_;
};

}  // namespace puna::hub::publish
