// What a cell holds, and how the program's own types travel in and out of it.
//
// Portable between databases: integers are 64 bits; true and false are 1 and 0; a time is a number of milliseconds since 1970;
// an enumerator and an id are text; JSON is text.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "base/units.h"

namespace puna::store {

struct Blob {
  std::string bytes;
  bool operator==(const Blob&) const = default;
};

using Value = std::variant<std::monostate, std::int64_t, double, std::string, Blob>;

[[nodiscard]] std::string_view kind_name(const Value& value);

namespace detail {

template <class T>
struct is_id : std::false_type {};
template <class Tag>
struct is_id<Id<Tag>> : std::true_type {};

template <class T>
inline constexpr bool is_json = std::is_same_v<T, json::value> || std::is_same_v<T, json::object> || std::is_same_v<T, json::array>;

Error mismatch(std::string_view expected, const Value& got);
Result<std::int64_t> integer_between(const Value& in, std::int64_t min, std::int64_t max);
Result<std::string_view> text_of(const Value& in);

}  // namespace detail

// Numbers of 64 bits without sign do not fit every database's integers: convert them where their range is known, or use Bytes.
template <class T>
concept Storable = !(std::is_unsigned_v<T> && sizeof(T) == 8);

template <Storable T>
[[nodiscard]] Value to_value(const T& in) {
  if constexpr (std::is_same_v<T, Value> || std::is_same_v<T, Blob>) {
    return in;
  } else if constexpr (std::is_same_v<T, std::nullptr_t> || std::is_same_v<T, std::nullopt_t>) {
    return Value{};
  } else if constexpr (json::detail::is_optional<T>::value) {
    return in ? to_value(*in) : Value{};
  } else if constexpr (detail::is_json<T>) {
    return json::to_text(in);
  } else if constexpr (json::DescribedEnum<T>) {
    return std::string(json::enum_name(in));
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<std::int64_t>(in);
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<double>(in);
  } else if constexpr (std::is_same_v<T, WallTime>) {
    return static_cast<std::int64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(in.time_since_epoch()).count());
  } else if constexpr (std::is_same_v<T, Bytes>) {
    return static_cast<std::int64_t>(in.count);
  } else if constexpr (detail::is_id<T>::value) {
    return in.value;
  } else {
    return std::string(std::string_view(in));
  }
}

// A cell whose content is not what the program wrote there fails with Code::corrupt_data.
template <class T>
[[nodiscard]] Result<T> from_value(const Value& in) {
  if constexpr (std::is_same_v<T, Value>) {
    return in;
  } else if constexpr (json::detail::is_optional<T>::value) {
    if (std::holds_alternative<std::monostate>(in)) return T{};
    PUNA_TRY(auto item, from_value<typename T::value_type>(in));
    return T(std::move(item));
  } else if constexpr (std::is_same_v<T, Blob>) {
    if (const auto* blob = std::get_if<Blob>(&in)) return *blob;
    return fail(detail::mismatch("bytes", in));
  } else if constexpr (detail::is_json<T>) {
    PUNA_TRY(auto text, detail::text_of(in));
    auto parsed = json::parse(text);
    if (!parsed) return fail(Code::corrupt_data, parsed.error().message);
    auto decoded = json::decode<T>(*parsed);
    if (!decoded) return fail(Code::corrupt_data, decoded.error().message);
    return std::move(*decoded);
  } else if constexpr (json::DescribedEnum<T>) {
    PUNA_TRY(auto text, detail::text_of(in));
    if (auto value = json::enum_from_name<T>(text)) return *value;
    return fail(Code::corrupt_data, "unknown name '" + std::string(text) + "'");
  } else if constexpr (std::is_same_v<T, bool>) {
    PUNA_TRY(auto number, detail::integer_between(in, 0, 1));
    return number == 1;
  } else if constexpr (std::is_integral_v<T>) {
    static_assert(Storable<T>, "read it as std::int64_t or Bytes");
    PUNA_TRY(auto number, detail::integer_between(in, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
    return static_cast<T>(number);
  } else if constexpr (std::is_floating_point_v<T>) {
    if (const auto* integer = std::get_if<std::int64_t>(&in)) return static_cast<T>(*integer);
    if (const auto* real = std::get_if<double>(&in)) return static_cast<T>(*real);
    return fail(detail::mismatch("a number", in));
  } else if constexpr (std::is_same_v<T, WallTime>) {
    PUNA_TRY(auto number, from_value<std::int64_t>(in));
    return WallTime(std::chrono::milliseconds(number));
  } else if constexpr (std::is_same_v<T, Bytes>) {
    PUNA_TRY(auto number, detail::integer_between(in, 0, std::numeric_limits<std::int64_t>::max()));
    return Bytes(static_cast<std::uint64_t>(number));
  } else if constexpr (detail::is_id<T>::value) {
    PUNA_TRY(auto text, detail::text_of(in));
    return T{std::string(text)};
  } else {
    static_assert(std::is_same_v<T, std::string>, "no column holds this type");
    PUNA_TRY(auto text, detail::text_of(in));
    return std::string(text);
  }
}

// A named parameter: ":state" in the statement is {"state", value} here.
struct Parameter {
  std::string name;
  Value value;
  template <class T>
  Parameter(std::string_view n, const T& v) : name(n), value(to_value(v)) {}
};
using Parameters = std::vector<Parameter>;

// Every member of a described struct as a parameter of the same name.
template <json::Described T>
[[nodiscard]] Parameters parameters_of(const T& in) {
  Parameters out;
  boost::mp11::mp_for_each<json::detail::members<T>>([&](auto member) { out.emplace_back(member.name, in.*member.pointer); });
  return out;
}

}  // namespace puna::store
