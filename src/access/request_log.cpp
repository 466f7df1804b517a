#include "access/request_log.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/settings_registry.h"

namespace puna::access {

void RequestLog::begin(const std::string& id) {
  open_.emplace(id, json::object{});
}

void RequestLog::add(const std::string& id, json::object facts) {
  const auto found = open_.find(id);
  if (found == open_.end()) {
    facts["id"] = id;
    return write(std::move(facts));
  }
  for (auto& fact : facts) found->second[fact.key()] = std::move(fact.value());
}

void RequestLog::end(const std::string& id, json::object line) {
  const auto found = open_.find(id);
  if (found == open_.end()) return;
  for (auto& fact : found->second) line[fact.key()] = std::move(fact.value());
  open_.erase(found);
  line["id"] = id;
  write(std::move(line));
}

void RequestLog::write(json::object line) {
  const auto settings = settings_();
  if (!settings->get(setting::kLogRequests)) return;
  if (!lines_) {
    auto opened = LineFile::open(file_, settings->get(setting::kLogFileSize), static_cast<std::size_t>(settings->get(setting::kLogFiles)));
    if (!opened) {
      if (!std::exchange(complained_, true)) log::error("access", "requests are not logged", {{"error", opened.error().text()}});
      return;
    }
    lines_ = std::make_unique<LineFile>(std::move(*opened));
  }
  json::object out{{"time", format_time(std::chrono::system_clock::now())}};
  for (auto& fact : line) out[fact.key()] = std::move(fact.value());
  lines_->write(json::to_text(out));
}

}  // namespace puna::access
