// What was typed behind `puna tune`, as the API takes it.
#pragma once

#include <span>

#include "cli/context.h"
#include "cli/invocation.h"
#include "wire/tune.h"

namespace puna::cli {

// The settings of a run as options, from their table (wire/tune_schema.h): --learning-rate for learning_rate.
[[nodiscard]] std::span<const OptionSpec> tune_setting_options();
// Those that were given. The error names the option and its range.
[[nodiscard]] Result<json::object> typed_tune_settings(const Invocation& invocation);

// Model, files, mapping and settings. Files become absolute paths, which the daemon reads; Code::unsupported for one on another machine.
[[nodiscard]] Result<wire::TuneRequest> typed_tune_request(const Context& context, const Invocation& invocation);

}  // namespace puna::cli
