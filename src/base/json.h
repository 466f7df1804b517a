// JSON for the whole program: Boost.JSON values, and described structs that convert themselves.
//
//   struct Point { int x = 0; std::optional<std::string> label; };
//   BOOST_DESCRIBE_STRUCT(Point, (), (x, label))
//   auto point = json::decode<Point>(value);   // Result<Point>; the error names the field: "point.x: expected an integer"
//
// A std::optional member may be absent or null; every other member is required.
#pragma once

#include <boost/describe.hpp>
#include <boost/json.hpp>
#include <boost/mp11/algorithm.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.h"

namespace puna::json {

using boost::json::array;
using boost::json::object;
using boost::json::string;
using boost::json::value;

struct ParseLimits {
  std::size_t max_depth = 64;
};

// Malformed text fails with Code::invalid_argument, naming line and column (both from 1).
[[nodiscard]] Result<value> parse(std::string_view text, ParseLimits limits = {});
[[nodiscard]] Result<object> parse_object(std::string_view text, ParseLimits limits = {});
// Numbers stand in their shortest decimal form: 1, 0.5.
[[nodiscard]] std::string to_text(const value& v);
// Indented by two spaces, with a final newline: for people and files.
[[nodiscard]] std::string pretty(const value& v);

enum class Unknown { refuse, ignore };  // what decode() does with members that the struct does not have

template <class T>
concept Described = boost::describe::has_describe_members<T>::value && !std::is_union_v<T>;
template <class T>
concept DescribedEnum = std::is_enum_v<T> && boost::describe::has_describe_enumerators<T>::value;

template <class T>
[[nodiscard]] value encode(const T& in);
template <class T>
[[nodiscard]] Result<T> decode(const value& in, Unknown unknown = Unknown::refuse, std::string_view path = "");

namespace detail {

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
template <class T>
struct is_vector : std::false_type {};
template <class T, class A>
struct is_vector<std::vector<T, A>> : std::true_type {};
template <class T>
struct is_map : std::false_type {};
template <class T>
struct is_map<std::map<std::string, T>> : std::true_type {};

template <class T>
using members = boost::describe::describe_members<T, boost::describe::mod_public | boost::describe::mod_inherited>;

Error type_error(std::string_view path, std::string_view expected, const value& got);
Error missing_error(std::string_view path, std::string_view field);
Error unknown_error(std::string_view path, std::string_view field, const std::vector<std::string_view>& known);
std::string join_path(std::string_view path, std::string_view field);
std::string join_index(std::string_view path, std::size_t index);
Result<std::int64_t> to_integer(const value& in, std::int64_t min, std::uint64_t max, std::string_view path);

template <class T>
Result<T> decode_struct(const value& in, Unknown unknown, std::string_view path) {
  if (!in.is_object()) return fail(type_error(path, "an object", in));
  const object& fields = in.get_object();
  T out{};
  std::optional<Error> error;
  std::vector<std::string_view> known;
  boost::mp11::mp_for_each<members<T>>([&](auto member) {
    known.emplace_back(member.name);
    if (error) return;
    auto& target = out.*member.pointer;
    using Field = std::remove_reference_t<decltype(target)>;
    const value* found = fields.if_contains(member.name);
    if (!found || (is_optional<Field>::value && found->is_null())) {
      if constexpr (!is_optional<Field>::value) error = missing_error(path, member.name);
      return;
    }
    auto decoded = decode<Field>(*found, unknown, join_path(path, member.name));
    if (decoded)
      target = std::move(*decoded);
    else
      error = std::move(decoded).error();
  });
  if (error) return fail(std::move(*error));
  if (unknown == Unknown::refuse)
    for (const auto& field : fields)
      if (std::find(known.begin(), known.end(), std::string_view(field.key())) == known.end())
        return fail(unknown_error(path, field.key(), known));
  return out;
}

template <class T>
Result<T> decode_enum(const value& in, std::string_view path) {
  std::optional<T> out;
  std::string names;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto row) {
    names += (names.empty() ? "" : ", ") + std::string(row.name);
    if (in.is_string() && in.get_string() == row.name) out = row.value;
  });
  if (!out) return fail(type_error(path, "one of " + names, in));
  return *out;
}

}  // namespace detail

// The name of an enumerator of a described enum.
template <DescribedEnum T>
[[nodiscard]] std::string_view enum_name(T in) {
  return boost::describe::enum_to_string(in, "unknown");
}
template <DescribedEnum T>
[[nodiscard]] std::optional<T> enum_from_name(std::string_view name) {
  std::optional<T> out;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto row) {
    if (name == row.name) out = row.value;
  });
  return out;
}

template <class T>
value encode(const T& in) {
  if constexpr (std::is_same_v<T, value> || std::is_same_v<T, object> || std::is_same_v<T, array>) {
    return in;
  } else if constexpr (DescribedEnum<T>) {
    return value(enum_name(in));
  } else if constexpr (std::is_same_v<T, bool> || std::is_arithmetic_v<T>) {
    return value(in);
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return value(std::string_view(in));
  } else if constexpr (detail::is_optional<T>::value) {
    return in ? encode(*in) : value(nullptr);
  } else if constexpr (detail::is_vector<T>::value) {
    array out;
    out.reserve(in.size());
    for (const auto& item : in) out.push_back(encode(item));
    return out;
  } else if constexpr (detail::is_map<T>::value) {
    object out;
    for (const auto& [key, item] : in) out[key] = encode(item);
    return out;
  } else {
    static_assert(Described<T>, "describe the struct with BOOST_DESCRIBE_STRUCT");
    object out;
    boost::mp11::mp_for_each<detail::members<T>>([&](auto member) {
      const auto& field = in.*member.pointer;
      if constexpr (detail::is_optional<std::remove_cvref_t<decltype(field)>>::value) {
        if (field) out[member.name] = encode(*field);  // an absent value has no member
      } else {
        out[member.name] = encode(field);
      }
    });
    return out;
  }
}

template <class T>
Result<T> decode(const value& in, Unknown unknown, std::string_view path) {
  if constexpr (std::is_same_v<T, value>) {
    return in;
  } else if constexpr (std::is_same_v<T, object>) {
    if (!in.is_object()) return fail(detail::type_error(path, "an object", in));
    return in.get_object();
  } else if constexpr (std::is_same_v<T, array>) {
    if (!in.is_array()) return fail(detail::type_error(path, "an array", in));
    return in.get_array();
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!in.is_bool()) return fail(detail::type_error(path, "true or false", in));
    return in.get_bool();
  } else if constexpr (std::is_integral_v<T>) {
    PUNA_TRY(auto number, detail::to_integer(in, static_cast<std::int64_t>(std::numeric_limits<T>::min()),
                                             static_cast<std::uint64_t>(std::numeric_limits<T>::max()), path));
    return static_cast<T>(number);
  } else if constexpr (std::is_floating_point_v<T>) {
    if (!in.is_number()) return fail(detail::type_error(path, "a number", in));
    return in.to_number<T>();
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (!in.is_string()) return fail(detail::type_error(path, "a string", in));
    return std::string(std::string_view(in.get_string()));
  } else if constexpr (DescribedEnum<T>) {
    return detail::decode_enum<T>(in, path);
  } else if constexpr (detail::is_optional<T>::value) {
    if (in.is_null()) return T{};
    PUNA_TRY(auto item, decode<typename T::value_type>(in, unknown, path));
    return T(std::move(item));
  } else if constexpr (detail::is_vector<T>::value) {
    if (!in.is_array()) return fail(detail::type_error(path, "an array", in));
    T out;
    out.reserve(in.get_array().size());
    for (std::size_t i = 0; i < in.get_array().size(); ++i) {
      PUNA_TRY(auto item, decode<typename T::value_type>(in.get_array()[i], unknown, detail::join_index(path, i)));
      out.push_back(std::move(item));
    }
    return out;
  } else if constexpr (detail::is_map<T>::value) {
    if (!in.is_object()) return fail(detail::type_error(path, "an object", in));
    T out;
    for (const auto& field : in.get_object()) {
      PUNA_TRY(auto item, decode<typename T::mapped_type>(field.value(), unknown, detail::join_path(path, field.key())));
      out.emplace(std::string(std::string_view(field.key())), std::move(item));
    }
    return out;
  } else {
    return detail::decode_struct<T>(in, unknown, path);
  }
}

// Text straight to a described struct.
template <class T>
[[nodiscard]] Result<T> decode_text(std::string_view text, Unknown unknown = Unknown::refuse) {
  PUNA_TRY(auto parsed, parse(text));
  return decode<T>(parsed, unknown);
}

}  // namespace puna::json
