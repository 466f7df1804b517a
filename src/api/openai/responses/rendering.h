// A chat's answer as the Responses API gives it.
#pragma once

#include <functional>
#include <memory>

#include "api/openai/responses/answer.h"
#include "api/rendering.h"

namespace puna::api::openai::responses {

// `keep` is given the whole answer before its end is told.
[[nodiscard]] std::unique_ptr<Rendering> make_rendering(Answer answer, std::function<void(const json::object& response)> keep);

}  // namespace puna::api::openai::responses
