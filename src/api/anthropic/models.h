// The list of models as Anthropic's clients want it: https://docs.anthropic.com/en/api/models-list
#pragma once

#include "api/call.h"

namespace puna::api::anthropic {

// With `limit`, `after_id` and `before_id`.
[[nodiscard]] net::Task<Result<>> list_models(Call& call);
// Of the path's parameter "model".
[[nodiscard]] net::Task<Result<>> show_model(Call& call);

}  // namespace puna::api::anthropic
