// A LoRA adapter in a request.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"

namespace puna::wire {

struct AdapterUse {
  std::string name;             // of the library
  std::optional<double> scale;  // default: 1
};
BOOST_DESCRIBE_STRUCT(AdapterUse, (), (name, scale))

}  // namespace puna::wire
