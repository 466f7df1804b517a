// Structured logging: one JSON object a line, rotating and bounded, with credentials masked.
//
//   log::info("fleet", "worker ready", {{"model", name}, {"pid", pid}, {"request", request_id}});
//
// The sink is the one process-wide object of the program: where log lines go is a property of the process, not of a caller.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string_view>

#include "base/json.h"
#include "base/units.h"

namespace puna::log {

enum class Level { debug, info, warning, error, off };
BOOST_DESCRIBE_ENUM(Level, debug, info, warning, error, off)

struct Options {
  std::filesystem::path file;     // empty: no file
  Bytes max_file_size = mib(10);  // a full file becomes FILE.1, and so on
  std::size_t max_files = 5;
  Level level = Level::info;
  bool to_stderr = false;  // as lines for people
};

// Replaces the sink. Until the first call, warnings and errors go to stderr.
Result<> open(const Options& options);
void set_level(Level level);

struct Field {
  std::string_view key;
  json::value value;
  template <class T>
  Field(std::string_view k, const T& v) : key(k), value(json::encode(v)) {}
};
using Fields = std::initializer_list<Field>;

void write(Level level, std::string_view component, std::string_view message, Fields fields);
inline void debug(std::string_view component, std::string_view message, Fields fields = {}) {
  write(Level::debug, component, message, fields);
}
inline void info(std::string_view component, std::string_view message, Fields fields = {}) {
  write(Level::info, component, message, fields);
}
inline void warning(std::string_view component, std::string_view message, Fields fields = {}) {
  write(Level::warning, component, message, fields);
}
inline void error(std::string_view component, std::string_view message, Fields fields = {}) {
  write(Level::error, component, message, fields);
}

}  // namespace puna::log
