// Recipes as Ollama writes them. The other direction is parse_modelfile() in model_recipe.h.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "wire/model.h"

namespace puna::model {

// Parameters by Ollama's names, each with its value as a Modelfile has it; a list is one for each of its items.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> modelfile_parameters(const wire::Recipe& recipe);

struct ModelfileParts {
  std::string from;  // a name of Ollama's, or a path
  std::vector<std::string> adapters;
  const wire::Recipe& recipe;
};
[[nodiscard]] std::string modelfile_text(const ModelfileParts& parts);

}  // namespace puna::model
