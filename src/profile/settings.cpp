#include "profile/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/secret.h"
#include "base/text.h"
#include "base/units.h"
#include "fleet/command_line.h"
#include "fleet/log_file.h"
#include "model/recipe.h"
#include "net/url.h"

namespace puna::profile {
namespace {

constexpr std::size_t kLongestName = 64;
constexpr std::size_t kLongestText = 100'000;
constexpr std::size_t kMostWords = 200;
constexpr std::size_t kMostAdapters = 32;
constexpr Bytes kLeastMemory = mib(64);

enum Engines : unsigned { kBuiltin = 1, kCommand = 2, kRemote = 4, kAll = 7 };

struct Field;
// What the field takes, where the value is not that.
using Check = std::optional<std::string> (*)(const Field&, const json::value&);

struct Field {
  std::string_view name;
  Check check;
  wire::Bounds bounds{0, 0};
  unsigned engines = kAll;
};

std::optional<std::string> takes_unless(bool right, std::string_view what) {
  return right ? std::nullopt : std::optional<std::string>(what);
}

std::string_view text_of(const json::value& value) {
  return value.is_string() ? std::string_view(value.get_string()) : std::string_view();
}

bool is_clean_text(std::string_view text, std::size_t longest) {
  return !text.empty() && text.size() <= longest && is_utf8(text) && text.find('\0') == std::string_view::npos;
}

bool is_variable_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && name.size() <= 200 && letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

bool is_absolute_path(std::string_view text) {
  return is_clean_text(text, 4096) && std::filesystem::path(text).is_absolute();
}

std::optional<std::string> check_text(const Field&, const json::value& value) {
  return takes_unless(is_clean_text(text_of(value), kLongestText), fmt::format("a text of at most {} bytes", kLongestText));
}

std::optional<std::string> check_whole(const Field& field, const json::value& value) {
  const bool whole = value.is_int64() || (value.is_uint64() && value.get_uint64() <= INT64_MAX);
  const auto number = whole ? value.to_number<std::int64_t>() : 0;
  return takes_unless(whole && number >= field.bounds.min && number <= field.bounds.max,
                      fmt::format("a whole number from {} to {}", field.bounds.min, field.bounds.max));
}

std::optional<std::string> check_fraction(const Field&, const json::value& value) {
  return takes_unless(value.is_number() && value.to_number<double>() >= 0 && value.to_number<double>() <= 1, "a number from 0 to 1");
}

std::optional<std::string> check_flag(const Field&, const json::value& value) {
  return takes_unless(value.is_bool(), "true or false");
}

template <class Enum>
std::optional<std::string> check_choice(const Field&, const json::value& value) {
  if (json::decode<Enum>(value)) return std::nullopt;
  std::string names;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<Enum>>(
      [&](auto row) { names += (names.empty() ? "" : ", ") + std::string(row.name); });
  return "one of " + names;
}

std::optional<std::string> check_duration(const Field&, const json::value& value) {
  return takes_unless(value.is_string() && parse_duration(text_of(value)), "a time such as \"90s\", \"5m\" or \"1h\"");
}

std::optional<std::string> check_keep_alive(const Field&, const json::value& value) {
  return takes_unless(value.is_string() && parse_duration(text_of(value)), "a time such as \"5m\", \"-1\" for ever or \"0\"");
}

std::optional<std::string> check_bytes(const Field&, const json::value& value) {
  const auto bytes = value.is_string() ? parse_bytes(text_of(value)) : Result<Bytes>(fail(Code::invalid_argument, ""));
  return takes_unless(bytes && *bytes >= kLeastMemory, fmt::format("a size such as \"8GiB\", at least {}", format_bytes(kLeastMemory)));
}

std::optional<std::string> check_path(const Field&, const json::value& value) {
  return takes_unless(is_absolute_path(text_of(value)), "an absolute path");
}

std::optional<std::string> check_model(const Field&, const json::value& value) {
  const auto text = text_of(value);
  return takes_unless(is_absolute_path(text) || fleet::check_model_name(text), "a model's name or an absolute path");
}

std::optional<std::string> check_library_model(const Field&, const json::value& value) {
  return takes_unless(value.is_string() && fleet::check_model_name(text_of(value)), "a model's name");
}

std::optional<std::string> check_template(const Field&, const json::value& value) {
  if (!is_clean_text(text_of(value), kLongestText)) return "a Jinja template";
  const auto checked = model::check_chat_template(text_of(value));
  return checked ? std::nullopt : std::optional("a Jinja template (" + checked.error().message + ")");
}

std::optional<std::string> check_adapters(const Field& field, const json::value& value) {
  const auto adapters = json::decode<std::vector<wire::ProfileAdapter>>(value);
  const auto usable = [&](const wire::ProfileAdapter& adapter) {
    const double scale = adapter.scale.value_or(1);
    return !check_model(field, json::value(adapter.model)) && std::isfinite(scale) && std::abs(scale) <= wire::kLargestScale;
  };
  return takes_unless(adapters && adapters->size() <= kMostAdapters && std::ranges::all_of(*adapters, usable),
                      fmt::format("a list of at most {} objects with \"model\" (a name or an absolute path) and \"scale\" (-{} to {})",
                                  kMostAdapters, wire::kLargestScale, wire::kLargestScale));
}

std::optional<std::string> check_command(const Field&, const json::value& value) {
  const auto words = json::decode<std::vector<std::string>>(value);
  if (!words || words->empty() || words->size() > kMostWords ||
      !std::ranges::all_of(*words, [](const auto& word) { return is_clean_text(word, 8192); }))
    return fmt::format("a list of a program and its arguments, at most {} texts", kMostWords);
  const auto checked = fleet::check_command_template(*words);
  return checked ? std::nullopt : std::optional("a command line (" + checked.error().message + ")");
}

std::optional<std::string> check_target(const Field&, const json::value& value) {
  const auto text = text_of(value);
  return takes_unless(text.starts_with('/') && is_clean_text(text, 1000) && text.find_first_of(" \r\n\t") == std::string_view::npos,
                      "a path such as \"/health\"");
}

std::optional<std::string> check_url(const Field&, const json::value& value) {
  const auto url = value.is_string() ? net::Url::parse(text_of(value)) : Result<net::Url>(fail(Code::invalid_argument, ""));
  const bool plain = url && (url->scheme == "http" || url->scheme == "https") && !url->credentials && !url->query && !url->fragment;
  return takes_unless(plain, "an http or https address without user, password, ? and #; a key belongs into key_env or key_file");
}

std::optional<std::string> check_variable(const Field&, const json::value& value) {
  return takes_unless(is_variable_name(text_of(value)), "the name of an environment variable (never the key itself)");
}

std::optional<std::string> check_parameters(const Field&, const json::value& value) {
  if (!value.is_object()) return "an object of sampling parameters";
  std::string wrong;
  wire::Recipe said;
  for (const auto& entry : value.get_object()) {
    const json::array one = {entry.value()};
    for (const auto& item : entry.value().is_array() ? entry.value().get_array() : one) {
      const auto text = item.is_string() ? std::string(text_of(item)) : json::to_text(item);
      if (entry.key() == "context" || entry.key() == "num_ctx") {
        wrong += "; the context is a setting of its own";
      } else if (const auto set = model::set_parameter(said, entry.key(), text); !set) {
        wrong += "; " + set.error().message;
      }
    }
  }
  return wrong.empty() ? std::nullopt : std::optional("sampling parameters" + wrong);
}

std::optional<std::string> check_environment(const Field&, const json::value& value) {
  const auto variables = json::decode<std::map<std::string, std::string>>(value);
  if (!variables || variables->size() > kMostWords) return "an object of names and texts";
  for (const auto& [name, text] : *variables) {
    if (!is_variable_name(name)) return fmt::format("names of variables, which '{}' is not", printable(name.substr(0, 60)));
    if (text.size() > 8192 || text.find('\0') != std::string::npos) return fmt::format("a shorter text for {}", name);
    // Profiles are shown and kept in clear.
    if (redact(text) != text)
      return fmt::format("no secrets: write \"${}\" for {}, and the daemon's own variable is handed on", name, name);
  }
  return std::nullopt;
}

constexpr auto kFields = std::to_array<Field>({
    {"description", check_text},
    {"model", check_library_model},
    {"engine", check_choice<wire::EngineKind>},
    {"context", check_whole, wire::kContextBounds, kBuiltin | kCommand},
    {"slots", check_whole, wire::kSlotsBounds, kBuiltin | kCommand},
    {"threads", check_whole, wire::kThreadsBounds, kBuiltin | kCommand},
    {"gpu_layers", check_whole, wire::kGpuLayersBounds, kBuiltin},
    {"batch", check_whole, wire::kBatchBounds, kBuiltin},
    {"micro_batch", check_whole, wire::kBatchBounds, kBuiltin},
    {"cache_type_k", check_choice<wire::CacheType>, {}, kBuiltin},
    {"cache_type_v", check_choice<wire::CacheType>, {}, kBuiltin},
    {"flash_attention", check_choice<wire::Switch>, {}, kBuiltin},
    {"draft_model", check_model, {}, kBuiltin},
    {"ngram", check_choice<wire::NgramMethod>, {}, kBuiltin},
    {"ngram_size", check_whole, wire::kNgramSizeBounds, kBuiltin},
    {"draft_max", check_whole, wire::kDraftBounds, kBuiltin},
    {"draft_min", check_whole, wire::kDraftBounds, kBuiltin},
    {"draft_probability", check_fraction, {}, kBuiltin},
    {"adapters", check_adapters, {}, kBuiltin},
    {"projector", check_path, {}, kBuiltin},
    {"chat_template", check_template, {}, kBuiltin},
    {"command", check_command, {}, kCommand},
    {"health", check_target, {}, kCommand | kRemote},
    {"start_deadline", check_duration, {}, kCommand | kRemote},
    {"url", check_url, {}, kRemote},
    {"key_env", check_variable, {}, kRemote},
    {"key_file", check_path, {}, kRemote},
    {"served_name", check_text, {}, kCommand | kRemote},
    {"overflow", check_choice<wire::Overflow>, {}, kBuiltin},
    {"system", check_text},
    {"parameters", check_parameters},
    {"environment", check_environment, {}, kBuiltin | kCommand},
    {"keep_alive", check_keep_alive},
    {"auto_start", check_flag},
    {"restart", check_choice<wire::RestartPolicy>},
    {"restart_attempts", check_whole, wire::kAttemptsBounds},
    {"memory_limit", check_bytes, {}, kBuiltin | kCommand},
});

const Field* find_field(std::string_view name) {
  const auto found = std::ranges::find(kFields, name, &Field::name);
  return found == kFields.end() ? nullptr : &*found;
}

std::string unknown_field(std::string_view typed) {
  std::vector<std::string_view> known;
  for (const auto& field : kFields) known.push_back(field.name);
  auto near = nearest(typed, std::span<const std::string_view>(known));
  wire::Recipe said;
  const auto parameter = model::set_parameter(said, typed, "1");
  if (parameter || parameter.error().code != Code::unsupported) near = {fmt::format("parameters.{}", typed)};
  const auto name = printable(typed.substr(0, 60));
  if (near.empty()) return fmt::format("'{}' is no setting of a profile", name);
  return fmt::format("'{}' is no setting of a profile; did you mean {}?", name, join(near, " or "));
}

std::string shown(const json::value& value) {
  constexpr std::size_t kShown = 60;
  std::string text = json::to_text(value);
  if (text.size() > kShown) text = text.substr(0, kShown) + "…";
  return printable(text);
}

unsigned engine_bit(wire::EngineKind kind) {
  switch (kind) {
    case wire::EngineKind::builtin:
      return kBuiltin;
    case wire::EngineKind::command:
      return kCommand;
    case wire::EngineKind::remote:
      return kRemote;
  }
  return kBuiltin;
}

void check_engine_needs(const wire::ProfileSettings& settings, std::vector<std::string>& wrong) {
  switch (settings.engine.value_or(wire::EngineKind::builtin)) {
    case wire::EngineKind::builtin:
      if (!settings.model) wrong.emplace_back("model: is needed: the name of a model in the library");
      return;
    case wire::EngineKind::command: {
      if (!settings.command) {
        wrong.emplace_back("command: is needed with engine command");
        return;
      }
      const bool names_model = std::ranges::any_of(*settings.command, [](const auto& word) { return word.find("{model}") != word.npos; });
      if (names_model && !settings.model) wrong.emplace_back("model: is needed, because the command has {model}");
      return;
    }
    case wire::EngineKind::remote:
      if (!settings.url) wrong.emplace_back("url: is needed with engine remote");
      if (settings.key_env && settings.key_file) wrong.emplace_back("key_env, key_file: one of the two");
      return;
  }
}

bool is_quantized(wire::CacheType type) {
  return type > wire::CacheType::f16;
}

void check_together(const wire::ProfileSettings& settings, std::vector<std::string>& wrong) {
  check_engine_needs(settings, wrong);
  if (settings.batch && settings.micro_batch && *settings.micro_batch > *settings.batch)
    wrong.push_back(fmt::format("micro_batch: is at most the batch, {}", *settings.batch));
  if (settings.draft_min && settings.draft_max && *settings.draft_min > *settings.draft_max)
    wrong.push_back(fmt::format("draft_min: is at most draft_max, {}", *settings.draft_max));
  if (settings.flash_attention == wire::Switch::off && settings.cache_type_v && is_quantized(*settings.cache_type_v))
    wrong.emplace_back("cache_type_v: a quantized one needs flash attention, which is off");
  const bool speculates = settings.draft_model || settings.ngram;
  for (const auto& [name, given] : {std::pair{"draft_max", settings.draft_max.has_value()}, {"draft_min", settings.draft_min.has_value()}})
    if (given && !speculates) wrong.push_back(fmt::format("{}: has no effect without draft_model or ngram", name));
  if (settings.draft_probability && !settings.draft_model) wrong.emplace_back("draft_probability: has no effect without draft_model");
  if (settings.ngram_size && !settings.ngram) wrong.emplace_back("ngram_size: has no effect without ngram");
  if (settings.restart_attempts && settings.restart.value_or(wire::RestartPolicy::never) == wire::RestartPolicy::never)
    wrong.emplace_back("restart_attempts: has no effect unless restart is on_failure");
}

}  // namespace

Result<> check_name(std::string_view name) {
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  const auto allowed = [&](char c) { return alphanumeric(c) || c == '.' || c == '_' || c == '-'; };
  const bool fits = !name.empty() && name.size() <= kLongestName && alphanumeric(name.front()) && std::ranges::all_of(name, allowed);
  if (fits && name != "daemon") return {};
  return fail(Code::invalid_argument,
              fmt::format("'{}' is no name for a profile: letters, digits and . _ - may stand in one, at most {}, and 'daemon' is taken",
                          printable(name.substr(0, kLongestName)), kLongestName));
}

Result<wire::ProfileSettings> check_settings(const json::object& settings) {
  std::vector<std::string> wrong;
  json::object given;
  const auto engine = settings.if_contains("engine");
  const auto kind = engine == nullptr ? Result<wire::EngineKind>(wire::EngineKind::builtin) : json::decode<wire::EngineKind>(*engine);
  for (const auto& entry : settings) {
    const auto* field = find_field(entry.key());
    if (field == nullptr) {
      wrong.push_back(unknown_field(entry.key()));
    } else if (entry.value().is_null()) {
      continue;
    } else if (const auto takes = field->check(*field, entry.value())) {
      wrong.push_back(fmt::format("{}: takes {}, not {}", field->name, *takes, shown(entry.value())));
    } else if (kind && (field->engines & engine_bit(*kind)) == 0) {
      wrong.push_back(fmt::format("{}: has no effect with engine {}", field->name, json::enum_name(*kind)));
    } else {
      given[entry.key()] = entry.value();
    }
  }
  if (wrong.empty()) {
    PUNA_TRY(auto decoded, json::decode<wire::ProfileSettings>(given));
    check_together(decoded, wrong);
    if (wrong.empty()) return decoded;
  }
  return fail(Code::invalid_argument, join(wrong, "; "));
}

json::object merge_settings(json::object settings, const json::object& change) {
  for (const auto& entry : change) {
    const bool of_names = entry.key() == "parameters" || entry.key() == "environment";
    if (entry.value().is_null()) {
      settings.erase(entry.key());
    } else if (of_names && entry.value().is_object()) {
      const auto* before = settings.if_contains(entry.key());
      auto merged =
          merge_settings(before != nullptr && before->is_object() ? before->get_object() : json::object(), entry.value().get_object());
      if (merged.empty())
        settings.erase(entry.key());
      else
        settings[entry.key()] = std::move(merged);
    } else {
      settings[entry.key()] = entry.value();
    }
  }
  return settings;
}

}  // namespace puna::profile
