// A child process that does one piece of work and tells of it, line by line, on its standard output.
#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "os/process.h"

namespace puna::os {

enum class OldLog : std::uint8_t { replace, append };

struct LineChild {
  std::vector<std::string> argv;  // argv[0] is the program's path
  std::filesystem::path log;      // takes its stderr; whoever started it removes it
  OldLog old_log = OldLog::replace;
  Milliseconds silence{3'600'000};  // Code::deadline_exceeded, and its end, when it tells nothing for so long
  Milliseconds grace{0};            // after a stop: from SIGTERM to its end by force; 0: by force at once
  Bytes longest_line = kib(64);
};

// Runs it to its end and hears every line. Code::cancelled after a stop, whatever the child said by then; else how it ended. Blocks.
[[nodiscard]] Result<ExitStatus> run_line_child(const LineChild& child, const std::function<void(std::string_view)>& on_line,
                                                const std::stop_token& stop);

// Why a child ended that told neither its end nor a failure: Code::out_of_memory and what to do (`remedy`) when it was killed from outside,
// else Code::upstream_failed, with the last line of its log. `who` did not survive it: "the trainer".
[[nodiscard]] Error unexplained_end(const ExitStatus& exit, const std::filesystem::path& log, std::string_view who,
                                    std::string_view remedy = "end other programs, then try again");

// The last line of a log, for an error's text; empty when there is none.
[[nodiscard]] std::string last_line_of(const std::filesystem::path& log);

}  // namespace puna::os
