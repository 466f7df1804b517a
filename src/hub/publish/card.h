// The README.md of a repository that had none.
#pragma once

#include <string>

#include "hub/publish/cargo.h"
#include "wire/model.h"

namespace puna::hub::publish {

// Markdown behind a block of metadata in YAML, as Hugging Face reads it: what the files are, what they were made from, how to run them.
[[nodiscard]] std::string make_card(const Reference& destination, const wire::ModelDetail& model, const std::vector<CargoFile>& files);

}  // namespace puna::hub::publish
