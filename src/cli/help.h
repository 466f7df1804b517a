// What `puna help` prints, from the commands' rows.
#pragma once

#include <string>
#include <string_view>

#include "cli/screen/console.h"
#include "cli/spec.h"

namespace puna::cli {

// Every command with its summary.
[[nodiscard]] std::string overview(const Stream& stream);
// One command: usage, description, arguments, options, children, examples. As wide as the stream, at most 100 columns.
[[nodiscard]] std::string command_help(const CommandSpec& command, std::string_view full_name, const Stream& stream);

// "-k, --keepalive DURATION"; without a letter the long name stands where the others' do.
[[nodiscard]] std::string option_label(const OptionSpec& option);

}  // namespace puna::cli
