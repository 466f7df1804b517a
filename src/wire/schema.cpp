#include "wire/schema.h"

namespace puna::wire {

std::string short_type_name(std::string_view demangled) {
  const auto colon = demangled.rfind("::");
  return std::string(colon == std::string_view::npos ? demangled : demangled.substr(colon + 2));
}

}  // namespace puna::wire
