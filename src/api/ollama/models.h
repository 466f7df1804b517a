// Models of the library, and those in memory, as Ollama's clients want them.
#pragma once

#include <span>

#include "wire/model.h"

namespace puna::api::ollama {

// /api/tags: the newest first, without those that cannot be used.
[[nodiscard]] json::object tags(std::vector<wire::Model> models);
// /api/ps. What the library does not know, such as a profile, is shown without its files' details.
[[nodiscard]] json::object processes(std::span<const wire::RunningModel> running, std::span<const wire::Model> models);
// /api/show.
[[nodiscard]] json::object details(const wire::ModelDetail& detail);
// What a recipe and its model would be as a Modelfile.
[[nodiscard]] std::string modelfile(const wire::ModelDetail& detail);

}  // namespace puna::api::ollama
