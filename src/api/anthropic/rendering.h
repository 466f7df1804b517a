// Answers in Anthropic's dialect.
#pragma once

#include <memory>

#include "api/anthropic/request.h"
#include "api/rendering.h"

namespace puna::api::anthropic {

// A message, or its events: https://docs.anthropic.com/en/docs/build-with-claude/streaming
[[nodiscard]] std::unique_ptr<Rendering> message_rendering(Expectations expectations);

}  // namespace puna::api::anthropic
