// What `puna create` makes a model of: Ollama's Modelfile, or a TOML file of our own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "wire/model.h"

namespace puna::model {

struct ModelRecipe {
  std::string from;                   // a model's name, or a file
  std::vector<std::string> adapters;  // files
  std::vector<std::string> licences;  // texts
  wire::Recipe recipe;
};

// FROM, PARAMETER, TEMPLATE, SYSTEM, MESSAGE, ADAPTER and LICENSE, in any case; comments begin lines with '#'; texts of several lines
// stand between """. Whatever cannot be honoured is refused by name: Code::unsupported; malformed text is Code::invalid_argument. Both
// say the line.
[[nodiscard]] Result<ModelRecipe> parse_modelfile(std::string_view text);

// from, system, template, context, adapters, licence, [parameters] and [[messages]] (role, content). Unknown keys are refused by name.
[[nodiscard]] Result<ModelRecipe> parse_recipe_toml(std::string_view text);

}  // namespace puna::model
