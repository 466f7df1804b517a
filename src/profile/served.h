// What stands behind a name that a request may have: a model of the library as it is, or a profile.
#pragma once

#include <filesystem>
#include <memory>

#include "base/error.h"
#include "fleet/launch.h"
#include "model/library.h"
#include "wire/model.h"
#include "wire/overflow.h"
#include "wire/profile.h"

namespace puna::profile {

struct Served {
  fleet::Launch launch;
  std::shared_ptr<const wire::Recipe> recipe;  // what is added to requests that do not say otherwise; null: nothing
  bool generates = true;
  bool ranks = false;
  bool knows_tools = false;
  std::optional<wire::Overflow> overflow = {};  // absent: the setting models.overflow
};

// Code::unsupported when the model cannot be run, Code::conflict when its files have a problem.
[[nodiscard]] Result<Served> serve_model(const wire::ModelDetail& model);

// The same for a profile, with its models looked up; what it says goes before what its model says. Writes a chat template of its own into
// `folder`, under a name made from its content. Blocks.
[[nodiscard]] Result<Served> serve_profile(const wire::Profile& profile, model::Library& library, const std::filesystem::path& folder);

}  // namespace puna::profile
