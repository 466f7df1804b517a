// Calls of tools, in the form of OpenAI's API.
#pragma once

#include <string>

#include "dataset/finding.h"

namespace puna::dataset {

// Each call as {id, type: "function", function: {name, arguments}}, whose arguments are JSON text of an object. Calls without an id get
// one; `count` numbers them. The flat form {name, arguments} is taken, too.
[[nodiscard]] json::array read_calls(const json::value& value, const std::string& path, std::size_t& count, Problems& problems);

}  // namespace puna::dataset
