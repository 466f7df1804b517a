// A model of the library as Ollama's registry keeps one: layers of one kind each, and a configuration.
#pragma once

#include <vector>

#include "base/error.h"
#include "hub/publish/cargo.h"
#include "wire/model.h"

namespace puna::hub::publish {

// The layers in the order of a manifest, the configuration (FileRole::config) behind them. `files` are the model's, with their digests.
// Small files go as they are unless the model's recipe says something else; a template in Jinja stays behind, as Ollama has its own
// language for them and knows the usual ones. Code::unsupported for what is no single GGUF file. Reads small files.
[[nodiscard]] Result<std::vector<CargoFile>> ollama_layers(const wire::ModelDetail& model, const std::vector<CargoFile>& files);

}  // namespace puna::hub::publish
