#include "api/call.h"

#include <charconv>

namespace puna::api {

const std::string& Call::path_parameter(std::string_view name) const {
  return request_.path_parameters.at(std::string(name));
}

Result<std::uint64_t> Call::number(std::string_view query_name, std::uint64_t absent, std::uint64_t max) const {
  const auto text = request_.query.get(query_name);
  if (!text) return absent;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc{} || end != text->data() + text->size() || number > max)
    return fail(Code::invalid_argument, fmt::format("{}: expected a number from 0 to {}", query_name, max));
  return number;
}

Result<bool> Call::flag(std::string_view query_name) const {
  const auto text = request_.query.get(query_name);
  if (!text || *text == "false") return false;
  if (*text == "true") return true;
  return fail(Code::invalid_argument, fmt::format("{}: expected true or false", query_name));
}

}  // namespace puna::api
