#include <array>

#include "base/settings_registry.h"
#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"
#include "cli/screen/table.h"
#include "os/file.h"

namespace puna::cli {
namespace {

constexpr Bytes kLargestFile = mib(1);
constexpr std::array kKeyArgument = {
    ArgumentSpec{.name = "KEY", .help = "a setting, such as models.context", .completes = Completes::settings}};
constexpr std::array kSetArguments = {kKeyArgument[0], ArgumentSpec{.name = "VALUE", .help = "what it shall be"}};

wire::SettingView view_of(const SettingSpec& spec, const Settings::Entry& entry) {
  return {.key = std::string(spec.key),
          .value = shown_setting(spec, entry.value),
          .default_value = std::string(spec.default_value),
          .origin = entry.origin,
          .source = entry.source,
          .kind = std::string(kind_name(spec)),
          .environment = std::string(spec.environment),
          .help = std::string(spec.help),
          .live = spec.live};
}

// As a daemon would have them that was started from here.
Result<wire::SettingsView> settings_from_here(Context& context) {
  PUNA_TRY(const auto places, context.places());
  const SettingsStore store({.file = places.config_file, .environment = context.environment(), .flags = {}});
  wire::SettingsView view;
  for (const auto* spec : setting::all()) view.settings.push_back(view_of(*spec, store.snapshot()->entry(*spec)));
  for (const auto& problem : store.problems()) view.problems.push_back(problem.text());
  view.file = places.config_file.string();
  return view;
}

// Those in force: the running daemon's.
Result<wire::SettingsView> settings_in_force(Context& context) {
  PUNA_TRY(const bool runs, context.daemon_runs());
  if (!runs) return settings_from_here(context);
  PUNA_TRY(auto* daemon, context.daemon(Start::never));
  return daemon->settings();
}

const wire::SettingView* find(const wire::SettingsView& view, std::string_view key) {
  const auto found = std::ranges::find(view.settings, key, &wire::SettingView::key);
  return found == view.settings.end() ? nullptr : &*found;
}

Result<> write_file_here(Context& context, const SettingSpec& spec, std::optional<std::string_view> value) {
  PUNA_TRY(const auto places, context.places());
  PUNA_CHECK(os::ensure_places(places));
  auto text = os::read_file(places.config_file, kLargestFile);
  if (!text && text.error().code != Code::not_found) return fail(std::move(text).error());
  PUNA_TRY(const auto edited, edit_settings_text(text.value_or(""), spec, value));
  return os::write_file_atomic(places.config_file, edited);
}

Result<wire::SettingsView> change(Context& context, const SettingSpec& spec, std::optional<std::string> value) {
  if (value) PUNA_CHECK(parse_setting(spec, *value));
  PUNA_TRY(const bool runs, context.daemon_runs());
  if (runs) {
    PUNA_TRY(auto* daemon, context.daemon(Start::never));
    return daemon->change_setting({.key = std::string(spec.key), .value = std::move(value)});
  }
  PUNA_CHECK(write_file_here(context, spec, value ? std::optional<std::string_view>(*value) : std::nullopt));
  return settings_from_here(context);
}

void warn_of_problems(Context& context, const wire::SettingsView& view) {
  for (const auto& problem : view.problems) context.console().warn(problem);
}

// What holds now, and what stands in the way of the change.
void tell_change(Context& context, const wire::SettingsView& view, const SettingSpec& spec, std::optional<std::string_view> wanted) {
  auto& console = context.console();
  const auto* now = find(view, spec.key);
  if (!now) return;
  const bool outranked = now->origin == SettingOrigin::environment || now->origin == SettingOrigin::flag;
  console.err.line(
      printable(fmt::format("{} = {}{}", spec.key, outranked && wanted && !spec.secret ? *wanted : std::string_view(now->value),
                            spec.live ? "" : "  (from the daemon's next start on)")));
  if (outranked) console.warn(fmt::format("{} has the last word: {}", now->source, now->value));
}

Result<ExitCode> show(Context& context, const Invocation& invocation) {
  PUNA_TRY(auto view, settings_in_force(context));
  const std::string prefix = invocation.argument("PREFIX");
  std::erase_if(view.settings, [&](const wire::SettingView& setting) { return !setting.key.starts_with(prefix); });
  if (view.settings.empty()) return fail(Code::not_found, fmt::format("no setting begins with '{}'", printable(prefix)));
  if (invocation.has("json")) {
    context.print_json(view);
    return ExitCode::ok;
  }
  const bool origin = invocation.has("origin");
  Table table(origin
                  ? std::vector<Column>{{"KEY"}, {.title = "VALUE", .gives_way = true}, {"ORIGIN"}, {.title = "SOURCE", .gives_way = true}}
                  : std::vector<Column>{{"KEY"}, {"VALUE"}});
  for (const auto& setting : view.settings) {
    std::vector<std::string> row{setting.key, setting.value};
    if (origin) row.emplace_back(setting.origin == SettingOrigin::default_value ? "default" : json::enum_name(setting.origin));
    if (origin) row.push_back(setting.origin == SettingOrigin::default_value ? "" : setting.source);
    table.add(std::move(row));
  }
  table.print(context.console().out);
  warn_of_problems(context, view);
  return ExitCode::ok;
}

Result<ExitCode> get(Context& context, const Invocation& invocation) {
  PUNA_TRY(const auto* spec, find_setting(invocation.argument("KEY")));
  PUNA_TRY(const auto view, settings_in_force(context));
  const auto* setting = find(view, spec->key);
  if (!setting) return fail(Code::not_found, fmt::format("the running daemon has no setting '{}'; it may be an older version", spec->key));
  if (invocation.has("json"))
    context.print_json(*setting);
  else
    context.console().out.line(printable(setting->value));
  return ExitCode::ok;
}

Result<ExitCode> set(Context& context, const Invocation& invocation) {
  PUNA_TRY(const auto* spec, find_setting(invocation.argument("KEY")));
  const std::string value = invocation.argument("VALUE");
  PUNA_TRY(const auto view, change(context, *spec, value));
  tell_change(context, view, *spec, value);
  return ExitCode::ok;
}

Result<ExitCode> unset(Context& context, const Invocation& invocation) {
  PUNA_TRY(const auto* spec, find_setting(invocation.argument("KEY")));
  PUNA_TRY(const auto view, change(context, *spec, std::nullopt));
  tell_change(context, view, *spec, std::nullopt);
  return ExitCode::ok;
}

Result<ExitCode> path(Context& context, const Invocation& invocation) {
  PUNA_TRY(const auto places, context.places());
  if (invocation.has("json"))
    context.print_json(json::value{{"path", places.config_file.string()}});
  else
    context.console().out.line(places.config_file.string());
  return ExitCode::ok;
}

constexpr std::array kShowArguments = {
    ArgumentSpec{.name = "PREFIX", .help = "only settings whose key begins like this", .occurs = Occurs::optional}};
constexpr std::array kShowOptions = {OptionSpec{.name = "origin", .help = "show where each value comes from"}};
constexpr std::array kShowExamples = {Example{"puna config show --origin", "every setting, and where its value comes from"},
                                      Example{"puna config show models", "the settings of loaded models"}};
constexpr std::array kGetExamples = {Example{"puna config get models.keep_alive", "one value, for a script"}};
constexpr std::array kSetExamples = {Example{"puna config set models.context 8192", "longer conversations"}};
constexpr std::array kUnsetExamples = {Example{"puna config unset models.context", "back to the default"}};
constexpr std::array kPathExamples = {Example{"$EDITOR \"$(puna config path)\"", "edit the file by hand"}};

constexpr CommandSpec kShowSettings{
    .name = "show",
    .summary = "show the settings in force",
    .description =
        "Shows the settings in force: the running daemon's, or what a daemon started from here would use. A flag of `puna "
        "serve` comes before an environment variable, that before the file, that before the default.",
    .arguments = kShowArguments,
    .options = kShowOptions,
    .examples = kShowExamples,
    .prints_data = true,
    .run = show};
constexpr CommandSpec kGetSetting{.name = "get",
                                  .summary = "print one setting's value",
                                  .description = "Prints one setting's value.",
                                  .arguments = kKeyArgument,
                                  .examples = kGetExamples,
                                  .prints_data = true,
                                  .run = get};
constexpr CommandSpec kSetSetting{
    .name = "set",
    .summary = "change a setting",
    .description =
        "Writes a setting into the settings file, whose comments and order stay. The running daemon applies it at once, unless "
        "the answer says that it takes a restart. A value that does not fit is refused.",
    .arguments = kSetArguments,
    .examples = kSetExamples,
    .run = set};
constexpr CommandSpec kUnsetSetting{.name = "unset",
                                    .summary = "bring a setting back to its default",
                                    .description = "Removes a setting from the settings file, so that its default holds again.",
                                    .arguments = kKeyArgument,
                                    .examples = kUnsetExamples,
                                    .run = unset};
constexpr CommandSpec kSettingsPath{.name = "path",
                                    .summary = "print the settings file's path",
                                    .description = "Prints where the settings file is, or would be.",
                                    .examples = kPathExamples,
                                    .prints_data = true,
                                    .run = path};
constexpr std::array<const CommandSpec*, 5> kChildren = {&kShowSettings, &kGetSetting, &kSetSetting, &kUnsetSetting, &kSettingsPath};

}  // namespace

constinit const CommandSpec kConfig{
    .name = "config",
    .group = Group::daemon,
    .summary = "see and change settings",
    .description = "Settings come from flags, the environment, the settings file and defaults, in this order.",
    .examples = kShowExamples,
    .children = kChildren,
};

}  // namespace puna::cli
