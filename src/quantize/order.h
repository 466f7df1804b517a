// What a job was asked to do, as the queue keeps it.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "base/json.h"

namespace puna::model {
class Library;
}

namespace puna::quantize {

struct Order {
  std::string model;  // full names
  std::string level;  // "Q4_K_M"
  std::string name;
  std::optional<std::string> imatrix;
  std::optional<bool> requantize;
};
BOOST_DESCRIBE_STRUCT(Order, (), (model, level, name, imatrix, requantize))

// Code::already_exists when a model has the name.
[[nodiscard]] Result<> require_free_name(model::Library& library, const std::string& name);

}  // namespace puna::quantize
