// What a model adds to requests that do not say otherwise: from Ollama's small files, from recipes that people write, to requests.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/describe.h"
#include "wire/model.h"

namespace puna::model {

// Whether files of this role are read for a recipe.
[[nodiscard]] bool says_something(wire::FileRole role);
// Adds what a file says, where the recipe says nothing yet. Returns what was left out because it cannot be honoured here, for the log:
// such as a parameter of Ollama's own machinery, or a template in Go's language (the model file's own one is used then).
std::vector<std::string> add_to_recipe(wire::Recipe& recipe, wire::FileRole role, std::string_view text);

// The recipe with what the small files among these say; what is left out is logged.
[[nodiscard]] wire::Recipe complete_recipe(wire::Recipe recipe, std::span<const FileOnDisk> files);

// One parameter as text, by our name or Ollama's ("num_predict", "num_ctx"); "stop" may be set several times. Code::invalid_argument
// with the bounds, Code::unsupported for what cannot be honoured, naming it.
[[nodiscard]] Result<> set_parameter(wire::Recipe& recipe, std::string_view name, std::string_view value);

// Jinja, as model files have it. Code::unsupported for Go's template language, which Ollama uses.
[[nodiscard]] Result<> check_chat_template(std::string_view text);

[[nodiscard]] bool is_empty(const wire::Recipe& recipe);

}  // namespace puna::model
