#include "api/conformance.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace puna::api {
namespace {

using enum Kind;

std::unexpected<Error> bad(std::string_view path, std::string_view why) {
  return fail(Code::invalid_argument, fmt::format("{}: {}", path, why));
}

std::string_view expectation(Kind kind) {
  switch (kind) {
    case boolean:
      return "true or false";
    case integer:
      return "an integer";
    case number:
      return "a number";
    case text:
      return "a string";
    case list:
      return "an array";
    case object:
      return "an object";
    case text_or_list:
      return "a string or an array of strings";
    case token_map:
      return "an object from token to bias";
    case any:
      return "a value";
  }
  return "a value";
}

bool all_strings(const json::value& in) {
  return std::ranges::all_of(in.get_array(), [](const json::value& item) { return item.is_string(); });
}

bool fits(Kind kind, const json::value& in) {
  switch (kind) {
    case boolean:
      return in.is_bool();
    case integer:
      return in.is_int64() || in.is_uint64();
    case number:
      return in.is_number();
    case text:
      return in.is_string();
    case list:
      return in.is_array();
    case object:
      return in.is_object();
    case text_or_list:
      return in.is_string() || (in.is_array() && all_strings(in));
    case token_map:
      return in.is_object() || in.is_array();
    case any:
      return true;
  }
  return true;
}

Result<> check_member(const Parameter& row, const std::string& path, const json::value& in) {
  if (row.treatment == Treatment::refused) return fail(Code::unsupported, fmt::format("{}: not supported here; {}", path, row.note));
  if (!fits(row.kind, in)) return fail(json::detail::type_error(path, expectation(row.kind), in));
  if (!in.is_number() || row.kind == any) return {};
  const double amount = in.to_number<double>();
  if (amount < row.min) return bad(path, fmt::format("{} is below the least value {}", json::to_text(in), row.min));
  if (amount > row.max) return bad(path, fmt::format("{} is above the greatest value {}", json::to_text(in), row.max));
  return {};
}

Result<> refuse_unlisted(const ConformanceTable& table, std::string_view name, const std::string& path) {
  if (table.unlisted == Unlisted::ignored) return {};
  std::vector<std::string_view> known;
  for (const auto& row : table.members) known.push_back(row.name);
  const auto near = nearest(name, std::span<const std::string_view>(known));
  return bad(path, near.empty() ? "unknown parameter" : fmt::format("unknown parameter (did you mean '{}'?)", near.front()));
}

json::object kind_schema(Kind kind) {
  switch (kind) {
    case boolean:
      return {{"type", "boolean"}};
    case integer:
      return {{"type", "integer"}};
    case number:
      return {{"type", "number"}};
    case text:
      return {{"type", "string"}};
    case list:
      return {{"type", "array"}};
    case object:
      return {{"type", "object"}};
    case text_or_list:
      return {{"type", json::array{"string", "array"}}};
    case token_map:
      return {{"type", json::array{"object", "array"}}};
    case any:
      return {};
  }
  return {};
}

json::object parameter_schema(const Parameter& row) {
  json::object out = kind_schema(row.kind);
  if (row.min > -kUnbounded) out["minimum"] = row.min;
  if (row.max < kUnbounded) out["maximum"] = row.max;
  if (row.treatment == Treatment::noted) out["description"] = "accepted; without effect here";
  if (row.ours) out["description"] = "extension beyond the dialect";
  return out;
}

}  // namespace

Result<> check_members(const ConformanceTable& table, const json::object& object) {
  for (const auto& member : object) {
    const std::string_view name = member.key();
    const std::string path = table.of.empty() ? printable(name) : fmt::format("{}.{}", table.of, printable(name));
    const auto row = std::ranges::find(table.members, name, &Parameter::name);
    if (row == table.members.end()) {
      PUNA_CHECK(refuse_unlisted(table, name, path));
      continue;
    }
    if (!member.value().is_null()) PUNA_CHECK(check_member(*row, path, member.value()));
  }
  return {};
}

json::object members_schema(std::span<const Parameter> members) {
  json::object properties;
  for (const auto& row : members)
    if (row.treatment != Treatment::refused) properties[row.name] = parameter_schema(row);
  return {{"type", "object"}, {"properties", std::move(properties)}};
}

}  // namespace puna::api
