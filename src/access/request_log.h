// One line for each request: who, what, how it ended and what it took. Never what was said, never a key.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/json.h"
#include "base/line_file.h"
#include "base/settings.h"

namespace puna::access {

// In a file of its own, rotating like the daemon's log; off by the setting log.requests. Network thread.
class RequestLog {
 public:
  RequestLog(std::filesystem::path file, std::function<std::shared_ptr<const Settings>()> settings)
      : file_(std::move(file)), settings_(std::move(settings)) {}

  // A request of this id is under way; what becomes known of it joins its line.
  void begin(const std::string& id);
  // Written at once for an id that is not under way: work that no client waits for.
  void add(const std::string& id, json::object facts);
  void end(const std::string& id, json::object line);

 private:
  void write(json::object line);

  std::filesystem::path file_;
  std::function<std::shared_ptr<const Settings>()> settings_;
  std::multimap<std::string, json::object> open_;
  std::unique_ptr<LineFile> lines_;
  bool complained_ = false;
};

}  // namespace puna::access
