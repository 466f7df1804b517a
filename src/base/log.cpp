#include "base/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <atomic>

#include "base/clock.h"
#include "base/secret.h"

namespace puna::log {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
    case Level::off:
      return spdlog::level::off;
  }
  return spdlog::level::off;
}

struct Sinks {
  std::shared_ptr<spdlog::logger> file;    // JSON lines
  std::shared_ptr<spdlog::logger> people;  // short lines on stderr
  mutable std::atomic<Level> level{Level::warning};
};

std::shared_ptr<spdlog::logger> stderr_logger() {
  auto logger = std::make_shared<spdlog::logger>("puna", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_pattern("%^%v%$");
  logger->set_level(spdlog::level::debug);
  return logger;
}

std::shared_ptr<const Sinks>& current_slot() {
  static std::shared_ptr<const Sinks> slot = [] {
    auto sinks = std::make_shared<Sinks>();
    sinks->people = stderr_logger();
    return sinks;
  }();
  return slot;
}

std::shared_ptr<const Sinks> current() {
  return std::atomic_load(&current_slot());
}

std::string json_line(Level level, std::string_view component, std::string_view message, Fields fields) {
  json::object line;
  line["time"] = format_time(std::chrono::system_clock::now());
  line["level"] = json::enum_name(level);
  line["component"] = component;
  line["message"] = message;
  for (const auto& field : fields) line[field.key] = field.value;
  return redact(json::to_text(line));
}

std::string people_line(Level level, std::string_view component, std::string_view message, Fields fields) {
  std::string line = fmt::format("{:7} {:8} {}", json::enum_name(level), component, message);
  for (const auto& field : fields)
    line += fmt::format("  {}={}", field.key, field.value.is_string() ? std::string(field.value.get_string()) : json::to_text(field.value));
  return redact(line);
}

}  // namespace

Result<> open(const Options& options) {
  auto sinks = std::make_shared<Sinks>();
  sinks->level = options.level;
  try {
    if (!options.file.empty()) {
      auto sink =
          std::make_shared<spdlog::sinks::rotating_file_sink_mt>(options.file.string(), options.max_file_size.count, options.max_files);
      sinks->file = std::make_shared<spdlog::logger>("file", std::move(sink));
      sinks->file->set_pattern("%v");
      sinks->file->set_level(spdlog::level::debug);
      sinks->file->flush_on(spdlog::level::debug);
    }
    if (options.to_stderr) sinks->people = stderr_logger();
  } catch (const spdlog::spdlog_ex& problem) {
    return fail(Code::permission_denied, fmt::format("cannot write the log file {}: {}", options.file.string(), problem.what()));
  }
  std::atomic_store(&current_slot(), std::shared_ptr<const Sinks>(std::move(sinks)));
  return {};
}

void set_level(Level level) {
  current()->level = level;
}

void write(Level level, std::string_view component, std::string_view message, Fields fields) {
  const auto sinks = current();
  if (level < sinks->level.load()) return;
  if (sinks->file) sinks->file->log(to_spdlog(level), spdlog::string_view_t(json_line(level, component, message, fields)));
  if (sinks->people) sinks->people->log(to_spdlog(level), spdlog::string_view_t(people_line(level, component, message, fields)));
}

}  // namespace puna::log
