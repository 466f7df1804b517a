// What the endpoints of another API's dialect take. Requests are checked by these tables, and docs/ is printed from them.
#pragma once

#include <span>
#include <string_view>

#include "base/json.h"

namespace puna::api {

enum class Treatment {
  honoured,  // does what its documentation says
  noted,     // accepted: it asks for nothing that this server could do differently
  refused,   // an answer that looked as if it had been honoured would be a lie
};
BOOST_DESCRIBE_ENUM(Treatment, honoured, noted, refused)

enum class Kind { boolean, integer, number, text, list, object, any, text_or_list, token_map };
BOOST_DESCRIBE_ENUM(Kind, boolean, integer, number, text, list, object, any, text_or_list, token_map)

inline constexpr double kUnbounded = 9e15;

// A member of a request's body, or of an object in it.
struct Parameter {
  std::string_view name;
  Kind kind;
  Treatment treatment = Treatment::honoured;
  double min = -kUnbounded;
  double max = kUnbounded;
  std::string_view note = {};  // of a refused one: the way out, which its error ends with
  bool ours = false;           // an extension beyond the dialect
};

// An extension beyond the dialect.
constexpr Parameter extension(std::string_view name, Kind kind, double min = -kUnbounded, double max = kUnbounded) {
  return {name, kind, Treatment::honoured, min, max, {}, true};
}
constexpr Parameter refused(std::string_view name, std::string_view way_out) {
  return {name, Kind::any, Treatment::refused, -kUnbounded, kUnbounded, way_out};
}
constexpr Parameter noted(std::string_view name, Kind kind, std::string_view why = {}) {
  return {name, kind, Treatment::noted, -kUnbounded, kUnbounded, why};
}

constexpr Parameter with_note(Parameter row, std::string_view note) {
  row.note = note;
  return row;
}

enum class Unlisted {
  refused,  // a member that no row names is an error with the nearest name: a typing error must not pass
  ignored,  // the dialect's own server ignores it, and its clients rely on that
};
BOOST_DESCRIBE_ENUM(Unlisted, refused, ignored)

// One object of one endpoint's request. An endpoint without a body has a table without rows, so that the page names it.
struct ConformanceTable {
  std::string_view endpoint;                // method and path of its route: "POST /v1/chat/completions"
  std::span<const Parameter> members = {};  //
  std::string_view of = {};                 // the member that holds the object: "options"; empty: the body itself
  Unlisted unlisted = Unlisted::refused;
};

// A dialect, as docs/ shows it.
struct DialectSheet {
  std::string_view page;   // "openai.md"
  std::string_view title;  // "OpenAI's API"
  std::string_view introduction;
  std::span<const ConformanceTable> tables;
};
[[nodiscard]] std::span<const DialectSheet> dialect_sheets();

// Kinds, bounds and names of an object's members. Null means "not given". The error names the member with what it stands in:
// "options.top_k: expected an integer, got a string".
[[nodiscard]] Result<> check_members(const ConformanceTable& table, const json::object& object);

// An object in a request, as JSON Schema.
[[nodiscard]] json::object members_schema(std::span<const Parameter> members);

}  // namespace puna::api
