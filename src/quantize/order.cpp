#include "quantize/order.h"

#include <fmt/format.h>

#include "model/library.h"

namespace puna::quantize {

Result<> require_free_name(model::Library& library, const std::string& name) {
  const auto found = library.find(name);
  if (found) return fail(Code::already_exists, fmt::format("there is a model {} already; choose another name with --name", name));
  return found.error().code == Code::not_found ? Result<>() : fail(found.error());
}

}  // namespace puna::quantize
