#include "base/json.h"

#include <fmt/format.h>

#include <cmath>

#include "base/text.h"

namespace puna::json {
namespace {

// Boost's parser reports only an error; the place is found by feeding it the text and asking how much it took.
std::string place_of(std::string_view text, std::size_t consumed) {
  const auto head = text.substr(0, consumed);
  const auto line = std::count(head.begin(), head.end(), '\n') + 1;
  const auto newline = head.rfind('\n');
  const auto column = head.size() - (newline == std::string_view::npos ? 0 : newline + 1) + 1;
  return fmt::format("line {}, column {}", line, column);
}

std::string_view kind_name(const value& v) {
  switch (v.kind()) {
    case boost::json::kind::null:
      return "null";
    case boost::json::kind::bool_:
      return "a boolean";
    case boost::json::kind::int64:
    case boost::json::kind::uint64:
      return "an integer";
    case boost::json::kind::double_:
      return "a number";
    case boost::json::kind::string:
      return "a string";
    case boost::json::kind::array:
      return "an array";
    case boost::json::kind::object:
      return "an object";
  }
  return "nothing";
}

// Boost prints 1.5 as 1.5E0. The shortest decimal form that reads back as the same number; JSON has no infinities.
void print_double(std::string& out, double number) {
  if (std::isfinite(number))
    fmt::format_to(std::back_inserter(out), "{}", number);
  else
    out += "null";
}

void indent(std::string& out, const value& v, std::size_t depth) {
  const std::string margin(2 * depth, ' ');
  if (v.is_object() && !v.get_object().empty()) {
    out += "{\n";
    std::size_t left = v.get_object().size();
    for (const auto& field : v.get_object()) {
      out += margin + "  " + boost::json::serialize(value(field.key())) + ": ";
      indent(out, field.value(), depth + 1);
      out += --left ? ",\n" : "\n";
    }
    out += margin + "}";
  } else if (v.is_array() && !v.get_array().empty()) {
    out += "[\n";
    std::size_t left = v.get_array().size();
    for (const auto& item : v.get_array()) {
      out += margin + "  ";
      indent(out, item, depth + 1);
      out += --left ? ",\n" : "\n";
    }
    out += margin + "]";
  } else {
    out += to_text(v);
  }
}

bool holds_double(const value& v) {
  if (v.is_object()) return std::ranges::any_of(v.get_object(), [](const auto& field) { return holds_double(field.value()); });
  if (v.is_array()) return std::ranges::any_of(v.get_array(), holds_double);
  return v.is_double();
}

void print(std::string& out, const value& v) {
  if (v.is_object()) {
    char before = '{';
    for (const auto& field : v.get_object()) {
      out += std::exchange(before, ',');
      out += boost::json::serialize(field.key());
      out += ':';
      print(out, field.value());
    }
    out += v.get_object().empty() ? "{}" : "}";
  } else if (v.is_array()) {
    char before = '[';
    for (const auto& item : v.get_array()) {
      out += std::exchange(before, ',');
      print(out, item);
    }
    out += v.get_array().empty() ? "[]" : "]";
  } else if (v.is_double()) {
    print_double(out, v.get_double());
  } else {
    out += boost::json::serialize(v);
  }
}

std::string subject(std::string_view path) {
  return path.empty() ? std::string("value") : std::string(path);
}

}  // namespace

Result<value> parse(std::string_view text, ParseLimits limits) {
  boost::json::parse_options options;
  options.max_depth = limits.max_depth;
  boost::json::stream_parser parser({}, options);
  boost::system::error_code error;
  const std::size_t consumed = parser.write_some(text.data(), text.size(), error);
  if (!error && text.substr(consumed).find_first_not_of(" \t\r\n") != std::string_view::npos)
    return fail(Code::invalid_argument, "invalid JSON: text after the end at " + place_of(text, consumed));
  if (!error) parser.finish(error);  // a number at the end is complete only now
  if (error) return fail(Code::invalid_argument, fmt::format("invalid JSON at {}: {}", place_of(text, consumed), error.message()));
  return parser.release();
}

Result<object> parse_object(std::string_view text, ParseLimits limits) {
  PUNA_TRY(auto parsed, parse(text, limits));
  return decode<object>(parsed);
}

std::string to_text(const value& v) {
  if (!holds_double(v)) return boost::json::serialize(v);
  std::string out;
  print(out, v);
  return out;
}

std::string pretty(const value& v) {
  std::string out;
  indent(out, v, 0);
  return out + "\n";
}

namespace detail {

Error type_error(std::string_view path, std::string_view expected, const value& got) {
  const bool quote = got.is_string() && got.get_string().size() <= 60;
  return {Code::invalid_argument,
          fmt::format("{}: expected {}, got {}", subject(path), expected, quote ? to_text(got) : std::string(kind_name(got)))};
}

Error missing_error(std::string_view path, std::string_view field) {
  return {Code::invalid_argument, fmt::format("{}: required, but missing", join_path(path, field))};
}

Error unknown_error(std::string_view path, std::string_view field, const std::vector<std::string_view>& known) {
  const auto near = nearest(field, known);
  return {Code::invalid_argument, fmt::format("{}: unknown field{}", join_path(path, field),
                                              near.empty() ? std::string() : fmt::format(" (did you mean '{}'?)", near.front()))};
}

std::string join_path(std::string_view path, std::string_view field) {
  return path.empty() ? std::string(field) : fmt::format("{}.{}", path, field);
}

std::string join_index(std::string_view path, std::size_t index) {
  return fmt::format("{}[{}]", path, index);
}

Result<std::int64_t> to_integer(const value& in, std::int64_t min, std::uint64_t max, std::string_view path) {
  std::int64_t number = 0;
  if (in.is_int64()) {
    number = in.get_int64();
  } else if (in.is_uint64() && in.get_uint64() <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    number = static_cast<std::int64_t>(in.get_uint64());
  } else if (in.is_double() && std::abs(in.get_double()) < 9e15 && std::trunc(in.get_double()) == in.get_double()) {
    number = static_cast<std::int64_t>(in.get_double());  // 1e3 and 5.0 are integers to JSON
  } else {
    return fail(type_error(path, "an integer", in));
  }
  if (number < min || (number > 0 && static_cast<std::uint64_t>(number) > max))
    return fail(Code::invalid_argument, fmt::format("{}: {} is out of range ({} to {})", subject(path), number, min, max));
  return number;
}

}  // namespace detail
}  // namespace puna::json
