// The API's description, generated from the route table and the wire types.
#pragma once

#include "api/spec.h"

namespace puna::api {

// https://spec.openapis.org/oas/v3.1.0
[[nodiscard]] json::object openapi_document(std::span<const Route> routes);

}  // namespace puna::api
