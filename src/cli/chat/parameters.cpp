#include "cli/chat/parameters.h"

#include <array>
#include <charconv>

#include "base/text.h"

namespace puna::cli {
namespace {

constexpr double kMany = 1e9;

const ParameterSpec* find(std::string_view name) {
  const auto rows = parameter_specs();
  const auto found =
      std::ranges::find_if(rows, [&](const ParameterSpec& row) { return row.name == name || (!name.empty() && row.alias == name); });
  return found == rows.end() ? nullptr : &*found;
}

std::unexpected<Error> unknown(std::string_view name) {
  if (name == "num_ctx")
    return fail(Code::invalid_argument,
                "num_ctx: the context length is chosen when a model is loaded; `puna config set models.context 8192` sets it");
  std::vector<std::string_view> known;
  for (const auto& row : parameter_specs()) known.push_back(row.name);
  const auto near = nearest(name, std::span<const std::string_view>(known));
  std::string message = fmt::format("unknown parameter '{}'", printable(name));
  if (!near.empty()) message += fmt::format("; did you mean {}?", join(near, " or "));
  return fail(Code::invalid_argument, std::move(message));
}

template <class T>
Result<json::value> parse_number(const ParameterSpec& row, std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole_text = error == std::errc{} && end == text.data() + text.size();
  if (!whole_text || static_cast<double>(value) < row.min || static_cast<double>(value) > row.max)
    return fail(Code::invalid_argument, fmt::format("{}: '{}' is not a {} from {} to {}", row.name, printable(text),
                                                    row.kind == ParameterKind::whole ? "whole number" : "number", row.min, row.max));
  return json::value(value);
}

Result<json::value> parse(const ParameterSpec& row, std::string_view text) {
  switch (row.kind) {
    case ParameterKind::whole:
      return parse_number<std::int64_t>(row, text);
    case ParameterKind::real:
      return parse_number<double>(row, text);
    case ParameterKind::text:
      return json::value(text);
  }
  return fail(Code::internal, "a parameter of no kind");
}

}  // namespace

std::span<const ParameterSpec> parameter_specs() {
  using enum ParameterKind;
  static constexpr std::array kSpecs = {
      ParameterSpec{"temperature", "", real, 0, 100, "how freely the model chooses; 0 always takes the likeliest"},
      ParameterSpec{"top_p", "", real, 0, 1, "choose among the likeliest tokens that together have this probability"},
      ParameterSpec{"top_k", "", whole, 0, kMany, "choose among this many tokens; 0: no limit"},
      ParameterSpec{"min_p", "", real, 0, 1, "leave out tokens less likely than this part of the likeliest"},
      ParameterSpec{"seed", "", whole, -1, 4294967295.0, "the same seed gives the same answer; -1: another each time"},
      ParameterSpec{"max_tokens", "num_predict", whole, 1, kMany, "longest answer, in tokens"},
      ParameterSpec{"stop", "", text, 0, 0, "end the answer before this text; may be set several times"},
      ParameterSpec{"repeat_penalty", "", real, 0, 10, "how much repetition is avoided; 1: not at all"},
      ParameterSpec{"repeat_last_n", "", whole, 0, kMany, "how many of the last tokens count as repetition"},
      ParameterSpec{"presence_penalty", "", real, -2, 2, "prefer tokens that did not occur yet"},
      ParameterSpec{"frequency_penalty", "", real, -2, 2, "prefer tokens that occurred seldom"},
  };
  return kSpecs;
}

Result<> set_parameter(json::object& parameters, std::string_view name, std::string_view value) {
  const auto* row = find(name);
  if (!row) return unknown(name);
  PUNA_TRY(auto parsed, parse(*row, value));
  if (row->kind != ParameterKind::text) {
    parameters[row->name] = std::move(parsed);
    return {};
  }
  auto& texts = parameters[row->name];
  if (!texts.is_array()) texts = json::array();
  texts.get_array().push_back(std::move(parsed));
  return {};
}

}  // namespace puna::cli
