#include "store/value.h"

#include <fmt/format.h>

namespace puna::store {

std::string_view kind_name(const Value& value) {
  static constexpr std::array<std::string_view, std::variant_size_v<Value>> kNames = {"nothing", "an integer", "a number", "text", "bytes"};
  return kNames[value.index()];
}

namespace detail {

Error mismatch(std::string_view expected, const Value& got) {
  return {Code::corrupt_data, fmt::format("expected {}, found {}", expected, kind_name(got))};
}

Result<std::int64_t> integer_between(const Value& in, std::int64_t min, std::int64_t max) {
  const auto* number = std::get_if<std::int64_t>(&in);
  if (!number) return fail(mismatch("an integer", in));
  if (*number < min || *number > max)
    return fail(Code::corrupt_data, fmt::format("expected an integer from {} to {}, found {}", min, max, *number));
  return *number;
}

Result<std::string_view> text_of(const Value& in) {
  const auto* text = std::get_if<std::string>(&in);
  if (!text) return fail(mismatch("text", in));
  return std::string_view(*text);
}

}  // namespace detail
}  // namespace puna::store
