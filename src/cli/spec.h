// A command is data: parsing, help, the man page, the reference and the shells' completions all come from its row.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/error.h"

namespace puna::cli {

class Context;
class Invocation;

// What may stand in a place, so that shells can complete it.
enum class Completes : std::uint8_t {
  nothing,
  models,
  running_models,
  profiles,
  model_or_file,
  files,
  jobs,
  tune_runs,
  settings,
  commands,
  shells,
  json_format
};

struct OptionSpec {
  std::string_view name;        // "keepalive": --keepalive
  char letter = 0;              // 'k': -k
  std::string_view value = {};  // "DURATION"; empty: a switch
  std::string_view help;        // one sentence without a full stop
  Completes completes = Completes::nothing;
  bool repeatable = false;
  bool hidden = false;            // for other programs: works, but is not shown
  std::string_view heading = {};  // that help shows it under, instead of "Options"
};

enum class Occurs : std::uint8_t { once, optional, any, some };  // any: also never; some: at least once; both only as the last

struct ArgumentSpec {
  std::string_view name;  // "MODEL"
  std::string_view help;
  Occurs occurs = Occurs::once;
  Completes completes = Completes::nothing;
};

struct Example {
  std::string_view command;  // "puna list"
  std::string_view what;     // what it does, lower case
};

// The headings of `puna help`.
enum class Group : std::uint8_t { chat, models, daemon, more, hidden };

enum class ExitCode : std::uint8_t { ok = 0, failure = 1 };  // an Error brings its own: base/error.h

struct CommandSpec {
  std::string_view name;
  std::string_view alias = {};
  Group group = Group::more;
  std::string_view summary;      // one line, lower case
  std::string_view description;  // paragraphs, separated by an empty line
  std::span<const ArgumentSpec> arguments = {};
  std::span<const OptionSpec> options = {};
  std::span<const Example> examples = {};
  std::span<const OptionSpec> (*more_options)() = nullptr;  // those that another table has, behind `options`
  // "config" has "get", "set" …; a command that runs too is meant when the first word names none of them.
  std::span<const CommandSpec* const> children = {};
  bool prints_data = false;  // it then has --json
  Result<ExitCode> (*run)(Context&, const Invocation&) = nullptr;
};

}  // namespace puna::cli
