// What a model's recipe adds to a request that does not say otherwise.
#pragma once

#include "api/openai/parameters.h"
#include "wire/model.h"

namespace puna::api::openai {

// To a validated body. Sampling parameters that the request does not name; for a chat also the recipe's messages before its own, and
// the recipe's system prompt unless it has one. Whether anything was added.
bool apply_recipe(const wire::Recipe& recipe, Endpoint endpoint, json::object& body);

}  // namespace puna::api::openai
