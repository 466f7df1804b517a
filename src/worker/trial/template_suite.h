// What a chat template can do, tried on conversations that are known: no weights take part.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "wire/probe.h"

struct llama_model;

namespace puna::worker {

// Fills in chat, system, tools, tool_calls and thinking. `chat_template` is Jinja, empty: the model's own. `begins` is told the name of
// each member before it is tried.
void try_templates(const llama_model* model, const std::string& chat_template, wire::ModelProbe& findings,
                   const std::function<void(std::string_view)>& begins);

}  // namespace puna::worker
