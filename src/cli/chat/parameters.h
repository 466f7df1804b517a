// What can be set about how a model writes.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"

namespace puna::cli {

enum class ParameterKind { whole, real, text };

struct ParameterSpec {
  std::string_view name;   // as the API has it
  std::string_view alias;  // Ollama's word, where it has another one
  ParameterKind kind;
  double min;
  double max;
  std::string_view help;
};
[[nodiscard]] std::span<const ParameterSpec> parameter_specs();

// Sets "temperature" to what was typed; "stop" is added to those already there. Code::invalid_argument names the bound, or the names
// that may have been meant.
[[nodiscard]] Result<> set_parameter(json::object& parameters, std::string_view name, std::string_view value);

}  // namespace puna::cli
