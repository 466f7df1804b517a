#include "cli/tune/request.h"

#include <deque>

#include "base/text.h"
#include "wire/tune_schema.h"

namespace puna::cli {
namespace {

std::string_view value_of(const wire::TuneField& field) {
  switch (field.kind) {
    case wire::TuneFieldKind::integer:
      return "N";
    case wire::TuneFieldKind::number:
      return "NUMBER";
    case wire::TuneFieldKind::boolean:
      return "BOOL";
    case wire::TuneFieldKind::text:
      return "TEXT";
    case wire::TuneFieldKind::choice:
      return "NAME";
    case wire::TuneFieldKind::texts:
      return "TEXTS";
    case wire::TuneFieldKind::ranks:
      return "NAME=RANK";
  }
  return "VALUE";
}

std::string option_name(const wire::TuneField& field) {
  std::string out(field.name);
  std::ranges::replace(out, '_', '-');
  return out;
}

std::string option_help(const wire::TuneField& field) {
  using Kind = wire::TuneFieldKind;
  const bool obvious = field.kind == Kind::text || field.kind == Kind::texts || field.kind == Kind::ranks;
  const std::string range = obvious ? std::string() : wire::range_of(field) + "; ";
  const std::string fallback = wire::default_of(field);
  return fmt::format("{} ({}default: {})", field.help, range, fallback.empty() ? "none" : fallback);
}

// Prompts have commas of their own: each is an option.
bool is_list_of_sentences(const wire::TuneField& field) {
  return field.name == "sample_prompts";
}

struct Options {
  std::deque<std::string> texts;  // what the rows below point to
  std::vector<OptionSpec> rows;
};

Options make_options() {
  Options out;
  const auto keep = [&](std::string text) -> std::string_view { return out.texts.emplace_back(std::move(text)); };
  for (const auto& field : wire::tune_fields()) {
    std::string heading = fmt::format("Settings of the {}", field.group);
    out.rows.push_back({.name = keep(option_name(field)),
                        .value = is_list_of_sentences(field) ? "TEXT" : value_of(field),
                        .help = keep(option_help(field)),
                        .repeatable = field.kind == wire::TuneFieldKind::texts || field.kind == wire::TuneFieldKind::ranks,
                        .heading = keep(std::move(heading))});
  }
  return out;
}

Result<json::value> typed_value(const wire::TuneField& field, const std::string& option, const std::vector<std::string>& typed) {
  if (is_list_of_sentences(field)) return json::encode(typed);
  const bool several = field.kind == wire::TuneFieldKind::texts || field.kind == wire::TuneFieldKind::ranks;
  auto value = wire::parse_tune_field(field, several ? join(typed, ",") : typed.back());
  if (!value) return fail(std::move(value.error()).within("--" + option));
  return value;
}

Result<std::string> local_file(const Context& context, std::string_view typed) {
  PUNA_TRY(const auto where, context.address());
  if (!where.is_own())
    return fail(Code::unsupported, fmt::format("the daemon at {} cannot read '{}' of this machine", where.text(), printable(typed)));
  std::error_code error;
  auto path = std::filesystem::absolute(typed, error).lexically_normal();
  if (!std::filesystem::exists(path, error)) return fail(Code::not_found, fmt::format("there is no file '{}'", printable(typed)));
  return path.string();
}

Result<std::vector<std::string>> local_files(const Context& context, const std::vector<std::string>& typed) {
  std::vector<std::string> out;
  for (const auto& word : typed) {
    PUNA_TRY(out.emplace_back(), local_file(context, word));
  }
  return out;
}

template <class T>
Result<std::optional<T>> typed_choice(const Invocation& invocation, const std::string& option) {
  const auto typed = invocation.text(option);
  if (!typed) return std::nullopt;
  std::string name = lower_ascii(*typed);
  std::ranges::replace(name, '-', '_');
  auto value = json::decode<T>(json::value(name), json::Unknown::refuse, "--" + option);
  if (!value) return fail(std::move(value).error());
  return *value;
}

// "answer=response" for each time that the option was given.
Result<std::optional<std::map<std::string, std::string>>> typed_pairs(const Invocation& invocation, const std::string& option) {
  if (!invocation.has(option)) return std::nullopt;
  std::map<std::string, std::string> out;
  for (const auto& word : invocation.all(option)) {
    const auto equals = word.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == word.size())
      return fail(Code::invalid_argument, fmt::format("--{}: '{}' is not NAME=NAME", option, printable(word)));
    out[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return out;
}

Result<std::optional<wire::DatasetMapping>> typed_mapping(const Invocation& invocation) {
  wire::DatasetMapping out;
  PUNA_TRY(out.shape, typed_choice<wire::DatasetShape>(invocation, "shape"));
  PUNA_TRY(out.fields, typed_pairs(invocation, "field"));
  PUNA_TRY(out.roles, typed_pairs(invocation, "role"));
  out.rows = invocation.text("rows-in");
  if (!out.shape && !out.fields && !out.roles && !out.rows) return std::nullopt;
  return out;
}

}  // namespace

std::span<const OptionSpec> tune_setting_options() {
  static const Options options = make_options();
  return options.rows;
}

Result<json::object> typed_tune_settings(const Invocation& invocation) {
  json::object out;
  for (const auto& field : wire::tune_fields()) {
    const std::string option = option_name(field);
    if (!invocation.has(option)) continue;
    PUNA_TRY(out[field.name], typed_value(field, option, invocation.all(option)));
  }
  return out;
}

Result<wire::TuneRequest> typed_tune_request(const Context& context, const Invocation& invocation) {
  wire::TuneRequest out{.model = invocation.argument("MODEL"), .name = invocation.text("name")};
  PUNA_TRY(out.data, local_files(context, invocation.rest()));
  if (invocation.has("eval")) {
    PUNA_TRY(out.evaluation, local_files(context, invocation.all("eval")));
  }
  PUNA_TRY(out.format, typed_choice<wire::DatasetFormat>(invocation, "format"));
  PUNA_TRY(out.documents, typed_choice<wire::TuneDocuments>(invocation, "documents"));
  PUNA_TRY(out.mapping, typed_mapping(invocation));
  PUNA_TRY(const auto settings, typed_tune_settings(invocation));
  if (!settings.empty()) {
    PUNA_TRY(out.settings, wire::read_tune_settings(settings));
  }
  return out;
}

}  // namespace puna::cli
