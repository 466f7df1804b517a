#include "api/openai/members.h"

#include <fmt/format.h>

namespace puna::api::openai {

const json::value* present(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  return found && !found->is_null() ? found : nullptr;
}

std::string_view text_member(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  return found && found->is_string() ? std::string_view(found->get_string()) : std::string_view();
}

std::unexpected<Error> bad(std::string_view path, std::string_view why) {
  return fail(Code::invalid_argument, fmt::format("{}: {}", path, why));
}

}  // namespace puna::api::openai
