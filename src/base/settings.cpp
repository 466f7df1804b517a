#include "base/settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <fstream>
#include <sstream>
#define TOML_HEADER_ONLY 0
#include <toml++/toml.h>

#include "base/settings_registry.h"
#include "base/text.h"

namespace puna {
namespace {

constexpr std::array<std::string_view, 7> kKindNames = {"true or false", "an integer", "a number", "a text",
                                                        "a duration",    "a size",     "a list"};
constexpr std::size_t kBool = 0, kInteger = 1, kNumber = 2, kText = 3, kDuration = 4, kSize = 5;

std::unexpected<Error> bad_value(const SettingSpec& spec, std::string_view text, std::string_view wanted) {
  return fail(Code::invalid_argument, fmt::format("setting {}: '{}' is not {}", spec.key, printable(text), wanted));
}

std::string bound_text(const SettingSpec& spec, double bound) {
  if (spec.kind == kDuration) return format_duration(Milliseconds(static_cast<std::int64_t>(bound)));
  if (spec.kind == kSize) return format_bytes(Bytes(static_cast<std::uint64_t>(bound)));
  return fmt::format("{}", bound);
}

Result<> check_bounds(const SettingSpec& spec, std::string_view text, double amount) {
  if (amount >= spec.min && amount <= spec.max) return {};
  if (amount < spec.min)
    return fail(Code::invalid_argument,
                fmt::format("setting {}: {} is below the least value {}", spec.key, text, bound_text(spec, spec.min)));
  return fail(Code::invalid_argument,
              fmt::format("setting {}: {} is above the greatest value {}", spec.key, text, bound_text(spec, spec.max)));
}

template <class Number>
Result<SettingValue> parse_number(const SettingSpec& spec, std::string_view text, std::string_view wanted) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return bad_value(spec, text, wanted);
  PUNA_CHECK(check_bounds(spec, text, static_cast<double>(number)));
  return SettingValue(number);
}

Result<SettingValue> parse_bool(const SettingSpec& spec, std::string_view text) {
  const std::string word = lower_ascii(text);
  if (word == "true" || word == "1" || word == "yes" || word == "on") return SettingValue(true);
  if (word == "false" || word == "0" || word == "no" || word == "off") return SettingValue(false);
  return bad_value(spec, text, "true or false");
}

Result<SettingValue> parse_text(const SettingSpec& spec, std::string_view text) {
  if (spec.choices.empty()) return SettingValue(std::string(text));
  const auto choices = split(spec.choices, '|');
  for (const auto choice : choices)
    if (equal_ignoring_case(choice, text)) return SettingValue(std::string(choice));
  return bad_value(spec, text, fmt::format("one of {}", fmt::join(choices, ", ")));
}

std::vector<std::string> parse_list(std::string_view text) {
  std::vector<std::string> out;
  for (const auto part : split(text, ','))
    if (!trim(part).empty()) out.emplace_back(trim(part));
  return out;
}

Result<std::string> node_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  if (const auto* flag = node.as_boolean()) return std::string(flag->get() ? "true" : "false");
  if (const auto* list = node.as_array()) {
    std::vector<std::string> parts;
    for (const auto& item : *list) {
      PUNA_TRY(auto part, node_text(item));
      parts.push_back(std::move(part));
    }
    return join(parts, ",");
  }
  return fail(Code::invalid_argument, "a value of this kind is not a setting");
}

struct FileValue {
  std::string text;
  int line = 0, column = 0;
};

void collect(const toml::table& table, const std::string& prefix, const std::string& file, std::map<std::string, FileValue>& out,
             std::vector<SettingProblem>& problems) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    const auto place = node.source().begin;
    if (const auto* inner = node.as_table()) {
      collect(*inner, key + ".", file, out, problems);
    } else if (auto text = node_text(node); text) {
      out[key] = {*text, static_cast<int>(place.line), static_cast<int>(place.column)};
    } else {
      problems.push_back({file, static_cast<int>(place.line), static_cast<int>(place.column), key, text.error().message});
    }
  }
}

std::map<std::string, FileValue> read_settings_file(const std::filesystem::path& path, std::vector<SettingProblem>& problems) {
  std::map<std::string, FileValue> out;
  std::error_code missing;
  if (path.empty() || !std::filesystem::exists(path, missing)) return out;
  std::ifstream stream(path, std::ios::binary);
  std::stringstream text;
  text << stream.rdbuf();
  if (!stream) {
    problems.push_back({path.string(), 0, 0, "", "cannot be read; the defaults hold"});
    return out;
  }
  try {
    collect(toml::parse(text.str(), path.string()), "", path.string(), out, problems);
  } catch (const toml::parse_error& error) {
    const auto place = error.source().begin;
    problems.push_back({path.string(), static_cast<int>(place.line), static_cast<int>(place.column), "",
                        fmt::format("not valid TOML: {}; the file is left as it is and its settings are not used", error.description())});
  }
  return out;
}

// Our own variable, else the first of the others.
std::map<std::string, std::string>::const_iterator find_variable(const SettingSpec& spec,
                                                                 const std::map<std::string, std::string>& environment) {
  auto found = environment.find(std::string(spec.environment));
  if (spec.also.empty()) return found;
  for (const auto name : split(spec.also, '|'))
    if (found == environment.end()) found = environment.find(std::string(name));
  return found;
}

std::string unknown_key_message(std::string_view key) {
  auto known = find_setting(key);
  return known ? std::string() : known.error().message;
}

}  // namespace

std::string_view kind_name(const SettingSpec& spec) {
  return kKindNames[spec.kind];
}

Result<SettingValue> parse_setting(const SettingSpec& spec, std::string_view raw) {
  const std::string_view text = trim(raw);
  switch (spec.kind) {
    case kBool:
      return parse_bool(spec, text);
    case kInteger:
      return parse_number<std::int64_t>(spec, text, "an integer");
    case kNumber:
      return parse_number<double>(spec, text, "a number");
    case kText:
      return parse_text(spec, text);
    case kDuration: {
      auto duration = parse_duration(text);
      if (!duration) return bad_value(spec, text, "a duration (write 30s, 5m, 1h30m, or -1 for ever)");
      if (*duration != kForever) PUNA_CHECK(check_bounds(spec, text, static_cast<double>(duration->count())));
      return SettingValue(*duration);
    }
    case kSize: {
      auto size = parse_bytes(text);
      if (!size) return bad_value(spec, text, "a size (write 4096, 512 MiB, 4G)");
      PUNA_CHECK(check_bounds(spec, text, static_cast<double>(size->count)));
      return SettingValue(*size);
    }
    default:
      return SettingValue(parse_list(text));
  }
}

std::string setting_text(const SettingValue& value) {
  struct Visitor {
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(double number) const { return fmt::format("{}", number); }
    std::string operator()(const std::string& text) const { return text; }
    std::string operator()(Milliseconds duration) const {
      if (duration == kForever) return "-1";
      const auto ms = duration.count();
      if (ms % 1000 != 0) return fmt::format("{}ms", ms);
      if (ms % 3'600'000 == 0 && ms) return fmt::format("{}h", ms / 3'600'000);
      if (ms % 60'000 == 0 && ms) return fmt::format("{}m", ms / 60'000);
      return fmt::format("{}s", ms / 1000);
    }
    std::string operator()(Bytes size) const {
      for (const auto& [unit, shift] : {std::pair{"GiB", 30}, {"MiB", 20}, {"KiB", 10}})
        if (size.count && size.count % (1ULL << shift) == 0) return fmt::format("{} {}", size.count >> shift, unit);
      return std::to_string(size.count);
    }
    std::string operator()(const std::vector<std::string>& list) const { return join(list, ","); }
  };
  return std::visit(Visitor{}, value);
}

std::string shown_setting(const SettingSpec& spec, const SettingValue& value) {
  std::string text = setting_text(value);
  return spec.secret && !text.empty() ? "(set)" : text;
}

Result<const SettingSpec*> find_setting(std::string_view key) {
  std::vector<std::string_view> known;
  for (const auto* spec : setting::all()) {
    if (spec->key == key) return spec;
    known.push_back(spec->key);
  }
  const auto near = nearest(key, std::span<const std::string_view>(known));
  return fail(Code::not_found,
              fmt::format("there is no setting '{}'{}", printable(key),
                          near.empty() ? "; `puna config show` lists them" : fmt::format("; did you mean {}?", fmt::join(near, " or "))));
}

std::string SettingProblem::text() const {
  std::string place = source;
  if (line > 0) place += fmt::format(":{}:{}", line, column);
  return fmt::format("{}: {}", place, message);
}

const Settings::Entry& Settings::entry(const SettingSpec& spec) const {
  return entries_.at(spec.key);
}

SettingsStore::SettingsStore(Sources sources) : sources_(std::move(sources)) {
  reload();
}

std::shared_ptr<const Settings> SettingsStore::snapshot() const {
  std::scoped_lock lock(mutex_);
  return snapshot_;
}

std::vector<SettingProblem> SettingsStore::problems() const {
  std::scoped_lock lock(mutex_);
  return problems_;
}

std::vector<std::string> SettingsStore::reload() {
  std::vector<SettingProblem> problems;
  const auto from_file = read_settings_file(sources_.file, problems);
  for (const auto& [key, found] : from_file)
    if (auto message = unknown_key_message(key); !message.empty())
      problems.push_back({sources_.file.string(), found.line, found.column, key, message});
  for (const auto& [key, text] : sources_.flags)
    if (auto message = unknown_key_message(key); !message.empty()) problems.push_back({"flag", 0, 0, key, message});

  auto next = std::make_shared<Settings>();
  for (const auto* spec : setting::all()) {
    Settings::Entry entry{*parse_setting(*spec, spec->default_value), SettingOrigin::default_value, "default"};
    // Later sources are stronger; a bad value leaves what was there.
    const auto apply = [&](std::string_view text, SettingOrigin origin, std::string source, int line, int column) {
      if (auto value = parse_setting(*spec, text))
        entry = {std::move(*value), origin, std::move(source)};
      else
        problems.push_back({std::move(source), line, column, std::string(spec->key), value.error().message});
    };
    if (const auto found = from_file.find(std::string(spec->key)); found != from_file.end())
      apply(found->second.text, SettingOrigin::file, sources_.file.string(), found->second.line, found->second.column);
    if (const auto found = find_variable(*spec, sources_.environment); found != sources_.environment.end())
      apply(found->second, SettingOrigin::environment, "environment " + found->first, 0, 0);
    if (const auto found = sources_.flags.find(std::string(spec->key)); found != sources_.flags.end())
      apply(found->second, SettingOrigin::flag, "flag", 0, 0);
    next->entries_.emplace(spec->key, std::move(entry));
  }

  std::scoped_lock lock(mutex_);
  std::vector<std::string> changed;
  if (snapshot_)
    for (const auto& [key, entry] : next->entries_)
      if (snapshot_->entries_.at(key).value != entry.value) changed.emplace_back(key);
  snapshot_ = std::move(next);
  problems_ = std::move(problems);
  return changed;
}

namespace {

std::string toml_literal(const SettingSpec& spec, const SettingValue& value) {
  if (spec.kind <= kNumber) return setting_text(value);
  const auto quote = [](std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    return out + "\"";
  };
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    std::vector<std::string> parts;
    for (const auto& item : *list) parts.push_back(quote(item));
    return "[" + join(parts, ", ") + "]";
  }
  return quote(setting_text(value));
}

// The name on the left of '=' on this line, or empty.
std::string_view assigned_name(std::string_view line) {
  const auto equals = line.find('=');
  const auto name = trim(line.substr(0, equals == std::string_view::npos ? 0 : equals));
  return name.starts_with('#') ? std::string_view() : name;
}

// "[server]" -> "server"; empty for any other line.
std::string_view table_name(std::string_view line) {
  line = trim(line.substr(0, line.find('#')));
  return line.starts_with('[') && line.ends_with(']') && !line.starts_with("[[") ? trim(line.substr(1, line.size() - 2))
                                                                                 : std::string_view();
}

struct Position {
  std::optional<std::size_t> assignment;  // the line that sets the key
  std::optional<std::size_t> table_end;   // where a new line of its table goes
};

Position locate(const std::vector<std::string_view>& lines, std::string_view table, std::string_view name, std::string_view key) {
  Position found;
  std::string_view current;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (const auto header = table_name(lines[i]); !header.empty()) current = header;
    if (current == table && !trim(lines[i]).empty()) found.table_end = i + 1;
    const auto assigned = assigned_name(lines[i]);
    if ((current == table && assigned == name) || (current.empty() && assigned == key)) found.assignment = i;
  }
  return found;
}

}  // namespace

Result<std::string> edit_settings_text(std::string_view text, const SettingSpec& spec, std::optional<std::string_view> value) {
  try {
    // ignored: only whether it parses is asked
    std::ignore = toml::parse(text);
  } catch (const toml::parse_error& error) {
    const auto place = error.source().begin;
    return fail(Code::conflict, fmt::format("the settings file is not valid TOML (line {}, column {}: {}); mend it first", place.line,
                                            place.column, error.description()));
  }
  const auto dot = spec.key.find('.');
  const auto table = spec.key.substr(0, dot), name = spec.key.substr(dot + 1);
  auto lines = split(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  const Position place = locate(lines, table, name, spec.key);

  std::vector<std::string> out(lines.begin(), lines.end());
  if (!value) {
    if (place.assignment) out.erase(out.begin() + static_cast<std::ptrdiff_t>(*place.assignment));
  } else {
    PUNA_TRY(const auto parsed, parse_setting(spec, *value));
    const std::string literal = toml_literal(spec, parsed);
    if (place.assignment) {
      out[*place.assignment] = fmt::format("{} = {}", assigned_name(lines[*place.assignment]), literal);
    } else if (place.table_end) {
      out.insert(out.begin() + static_cast<std::ptrdiff_t>(*place.table_end), fmt::format("{} = {}", name, literal));
    } else {
      if (!out.empty()) out.emplace_back();
      out.push_back(fmt::format("[{}]", table));
      out.push_back(fmt::format("{} = {}", name, literal));
    }
  }
  std::string result = join(out, "\n");
  return result.empty() ? result : result + "\n";
}

}  // namespace puna
