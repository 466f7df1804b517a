// The names that a request's "model" may have, as the lists of every dialect show them.
#pragma once

#include <string_view>
#include <vector>

#include "api/call.h"

namespace puna::api {

// Profiles, each with what its model is, then the library's models; of a caller whose key names models, those only.
[[nodiscard]] net::Task<Result<std::vector<wire::Model>>> served_models(Call& call);
// Code::not_found; Code::permission_denied for what the caller's key does not allow.
[[nodiscard]] net::Task<Result<wire::Model>> served_model(Call& call, std::string_view name);
// The same with its files and metadata, as far as it has any here.
[[nodiscard]] net::Task<Result<wire::ModelDetail>> served_detail(Call& call, std::string_view name);

}  // namespace puna::api
