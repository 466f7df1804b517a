#include "cli/profile_settings.h"

#include <fmt/format.h>

#include "base/text.h"

namespace puna::cli {
namespace {

enum class Shape { text, json, list };

// Texts are taken as they stand ("-1" and "8GiB" need no quotes); everything else is JSON.
Shape shape_of(std::string_view name) {
  Shape out = Shape::json;
  boost::mp11::mp_for_each<json::detail::members<wire::ProfileSettings>>([&](auto member) {
    if (name != member.name) return;
    using Field = typename std::remove_cvref_t<decltype(std::declval<wire::ProfileSettings>().*member.pointer)>::value_type;
    if constexpr (std::is_same_v<Field, std::string> || json::DescribedEnum<Field>) out = Shape::text;
  });
  return out;
}

json::value value_of(std::string_view text, Shape shape) {
  if (shape == Shape::text) return json::value(text);
  auto parsed = json::parse(text);
  auto value = parsed ? std::move(*parsed) : json::value(text);
  if (shape == Shape::list && !value.is_array()) return json::array{json::value(text)};
  return value;
}

Shape shape_of_member(std::string_view group, std::string_view name) {
  if (group == "environment") return Shape::text;
  return name == "stop" ? Shape::list : Shape::json;
}

}  // namespace

Result<json::object> read_assignments(const std::vector<std::string>& words) {
  json::object out;
  for (const std::string_view word : words) {
    const auto equals = word.find('=');
    if (equals == std::string_view::npos || equals == 0)
      return fail(Code::invalid_argument, fmt::format("'{}' is not NAME=VALUE", printable(word)));
    const auto name = word.substr(0, equals);
    const auto text = word.substr(equals + 1);
    const auto dot = name.find('.');
    if (dot == std::string_view::npos) {
      out[name] = text.empty() ? json::value(nullptr) : value_of(text, shape_of(name));
      continue;
    }
    const auto group = name.substr(0, dot);
    const auto member = name.substr(dot + 1);
    auto& target = out[group];
    if (!target.is_object()) target = json::object();
    target.get_object()[member] = text.empty() ? json::value(nullptr) : value_of(text, shape_of_member(group, member));
  }
  return out;
}

std::string typed_value(const json::value& value) {
  return value.is_string() ? std::string(std::string_view(value.get_string())) : json::to_text(value);
}

std::string what_is_served(const wire::ProfileSettings& settings) {
  switch (settings.engine.value_or(wire::EngineKind::builtin)) {
    case wire::EngineKind::builtin:
      return settings.model.value_or("-");
    case wire::EngineKind::command:
      return fmt::format("command {}", settings.command && !settings.command->empty() ? settings.command->front() : "-");
    case wire::EngineKind::remote:
      return fmt::format("remote {}", settings.url.value_or("-"));
  }
  return "-";
}

}  // namespace puna::cli
