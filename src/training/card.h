// The README.md of an adapter that was trained here: what it is, what it was made from and with, how good it is.
#pragma once

#include <string>

#include "wire/model.h"
#include "wire/tune.h"
#include "wire/tune_order.h"

namespace puna::training {

// Markdown behind a block of metadata in YAML, as Hugging Face reads it. Names of files stand without their folders, rows of the data not
// at all; texts of others cannot become markup.
[[nodiscard]] std::string make_card(const wire::TuneOrder& order, const wire::TuneResult& result, const wire::ModelDetail& base);

}  // namespace puna::training
