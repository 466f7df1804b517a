// What a model is, as `puna show` and the chat's /show print it.
#pragma once

#include "base/clock.h"
#include "cli/screen/console.h"
#include "wire/model.h"

namespace puna::cli {

void print_model(Stream& out, const wire::ModelDetail& detail, WallTime now);
void print_metadata(Stream& out, const wire::ModelDetail& detail);

}  // namespace puna::cli
