#include <array>
#include <charconv>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"
#include "cli/profile_settings.h"
#include "cli/screen/progress.h"
#include "cli/screen/table.h"
#include "cli/screen/time_text.h"

namespace puna::cli {
namespace {

constexpr ArgumentSpec kProfileArgument{.name = "PROFILE", .help = "a profile", .completes = Completes::profiles};
constexpr std::array kOneProfile = {kProfileArgument};

void print_profile(Context& context, const wire::Profile& profile) {
  auto& out = context.console().out;
  out.line(printable(fmt::format("{}  version {}, {}", profile.name, profile.version, time_ago(profile.modified_at, context.now()))));
  Table table({{"SETTING"}, {.title = "VALUE", .gives_way = true}});
  for (const auto& entry : json::encode(profile.settings).get_object()) {
    const bool of_names = entry.value().is_object();
    if (!of_names) table.add({std::string(entry.key()), printable(typed_value(entry.value()))});
    if (of_names)
      for (const auto& member : entry.value().get_object())
        table.add(
            {fmt::format("{}.{}", std::string_view(entry.key()), std::string_view(member.key())), printable(typed_value(member.value()))});
  }
  table.print(out);
}

// The profile itself, or a sentence about what became of it.
ExitCode tell(Context& context, const Invocation& invocation, const wire::Profile& profile, std::string_view done) {
  if (invocation.has("json"))
    context.print_json(profile);
  else
    context.console().err.line(printable(fmt::format("{} '{}', version {}", done, profile.name, profile.version)));
  return ExitCode::ok;
}

Result<ExitCode> list(Context& context, const Invocation& invocation) {
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(const auto list, daemon->profiles());
  if (invocation.has("json")) {
    context.print_json(list);
    return ExitCode::ok;
  }
  PUNA_TRY(const auto running, daemon->running());
  Table table(
      {{.title = "NAME", .gives_way = true}, {.title = "SERVES", .gives_way = true}, {"CONTEXT"}, {"SLOTS"}, {"STATE"}, {"MODIFIED"}});
  for (const auto& profile : list.profiles) {
    const auto& settings = profile.settings;
    const auto worker = std::ranges::find(running.models, profile.name, &wire::RunningModel::name);
    table.add({profile.name, printable(what_is_served(settings)), settings.context ? std::to_string(*settings.context) : "-",
               settings.slots ? std::to_string(*settings.slots) : "-",
               worker == running.models.end() ? "-" : std::string(json::enum_name(worker->state)),
               time_ago(profile.modified_at, context.now())});
  }
  table.print(context.console().out);
  return ExitCode::ok;
}

Result<ExitCode> show(Context& context, const Invocation& invocation) {
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(const auto profile, daemon->profile(invocation.argument("PROFILE")));
  if (invocation.has("json"))
    context.print_json(profile);
  else
    print_profile(context, profile);
  return ExitCode::ok;
}

Result<ExitCode> create(Context& context, const Invocation& invocation) {
  PUNA_TRY(const auto typed, read_assignments(invocation.rest()));
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  json::object settings;
  if (const auto model = invocation.text("recommend")) {
    PUNA_TRY(const auto recommended, daemon->recommend_profile(*model));
    settings = json::encode(recommended.settings).get_object();
  }
  for (const auto& entry : typed) settings[entry.key()] = entry.value();
  PUNA_TRY(const auto profile, daemon->create_profile(invocation.argument("NAME"), settings));
  return tell(context, invocation, profile, "made");
}

Result<ExitCode> set(Context& context, const Invocation& invocation) {
  PUNA_TRY(const auto settings, read_assignments(invocation.rest()));
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(const auto profile, daemon->change_profile(invocation.argument("PROFILE"), settings));
  return tell(context, invocation, profile, "changed");
}

Result<ExitCode> remove(Context& context, const Invocation& invocation) {
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(const auto profile, daemon->remove_profile(invocation.argument("PROFILE")));
  return tell(context, invocation, profile, "removed");
}

Result<ExitCode> recommend(Context& context, const Invocation& invocation) {
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(const auto recommended, daemon->recommend_profile(invocation.argument("MODEL")));
  if (invocation.has("json")) {
    context.print_json(recommended);
    return ExitCode::ok;
  }
  Table table({{"SETTING"}, {"VALUE"}, {.title = "BECAUSE"}});
  for (const auto& line : recommended.reasons) table.add({line.name, printable(typed_value(line.value)), printable(line.reason)});
  table.print(context.console().out);
  context.console().out.line(fmt::format("needs {} of {} that are available",
                                         format_bytes(Bytes(static_cast<std::uint64_t>(recommended.memory_bytes))),
                                         format_bytes(Bytes(static_cast<std::uint64_t>(recommended.available_bytes)))));
  context.console().err.line(printable(fmt::format("make it with: puna profile create NAME --recommend {}", recommended.model)));
  return ExitCode::ok;
}

Result<ExitCode> start(Context& context, const Invocation& invocation) {
  PUNA_TRY(const auto interrupt, Interrupt::install());
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed, interrupt->token()));
  PUNA_TRY(const auto profile, daemon->profile(invocation.argument("PROFILE"), interrupt->token()));
  ProgressLine line(context.console().err, context.console().err.is_terminal() ? Narration::full : Narration::quiet);
  const auto show = [&](const wire::RunningModel& model) { line.show(fmt::format("loading {}", model.name), model.load_progress); };
  PUNA_TRY(const auto running, daemon->load(profile.name, {}, show, interrupt->token()));
  if (invocation.has("json"))
    context.print_json(running);
  else
    context.console().err.line(printable(fmt::format("'{}' is ready", running.name)));
  return ExitCode::ok;
}

Result<ExitCode> stop(Context& context, const Invocation& invocation) {
  PUNA_TRY(const auto interrupt, Interrupt::install());
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed, interrupt->token()));
  PUNA_TRY(const auto profile, daemon->profile(invocation.argument("PROFILE"), interrupt->token()));
  PUNA_CHECK(daemon->unload(profile.name, interrupt->token()));
  context.console().err.line(printable(fmt::format("stopped '{}'", profile.name)));
  return ExitCode::ok;
}

Result<ExitCode> history(Context& context, const Invocation& invocation) {
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(const auto history, daemon->profile_history(invocation.argument("PROFILE")));
  if (invocation.has("json")) {
    context.print_json(history);
    return ExitCode::ok;
  }
  Table table({{"VERSION"}, {"MADE"}, {"WHAT"}, {.title = "SETTINGS", .gives_way = true}});
  for (const auto& version : history.versions) {
    std::vector<std::string> settings;
    for (const auto& entry : json::encode(version.settings).get_object())
      settings.push_back(fmt::format("{}={}", std::string_view(entry.key()), typed_value(entry.value())));
    table.add({std::to_string(version.version), time_ago(version.made_at, context.now()), version.note, printable(join(settings, " "))});
  }
  table.print(context.console().out);
  if (history.removed) context.console().err.line(printable(fmt::format("'{}' is removed", history.name)));
  return ExitCode::ok;
}

Result<ExitCode> restore(Context& context, const Invocation& invocation) {
  const std::string typed = invocation.argument("VERSION");
  std::int64_t version = 0;
  const auto [end, error] = std::from_chars(typed.data(), typed.data() + typed.size(), version);
  if (error != std::errc() || end != typed.data() + typed.size())
    return fail(Code::invalid_argument, fmt::format("VERSION is a number, not '{}'", printable(typed)));
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(const auto profile, daemon->restore_profile(invocation.argument("PROFILE"), version));
  return tell(context, invocation, profile, "brought back");
}

constexpr ArgumentSpec kSettings{
    .name = "SETTING", .help = "NAME=VALUE: context=8192, parameters.temperature=0.2, auto_start=true …", .occurs = Occurs::any};
constexpr std::array kCreateArguments = {ArgumentSpec{.name = "NAME", .help = "what requests will call it"}, kSettings};
constexpr std::array kSetArguments = {
    kProfileArgument, ArgumentSpec{.name = "SETTING", .help = "NAME=VALUE; NAME= takes the setting away", .occurs = Occurs::some}};
constexpr std::array kRestoreArguments = {kProfileArgument, ArgumentSpec{.name = "VERSION", .help = "a number of `puna profile history`"}};
constexpr std::array kRecommendArguments = {
    ArgumentSpec{.name = "MODEL", .help = "a model of the library", .completes = Completes::models}};
constexpr std::array kCreateOptions = {OptionSpec{.name = "recommend",
                                                  .value = "MODEL",
                                                  .help = "begin with what is recommended for this model on this machine",
                                                  .completes = Completes::models}};

constexpr std::array kListExamples = {Example{"puna profile list", "what is served under names of its own"}};
constexpr std::array kShowExamples = {Example{"puna profile show coder", "every setting of it"}};
constexpr std::array kCreateExamples = {
    Example{"puna profile create coder model=qwen3:8b context=16384 parameters.temperature=0.2", "a model, set up for one purpose"},
    Example{"puna profile create coder --recommend qwen3:8b auto_start=true", "as recommended, and loaded with the daemon"},
    Example{"puna profile create big engine=remote url=https://llm.example.com/v1 key_env=LLM_KEY", "a server elsewhere"}};
constexpr std::array kSetExamples = {Example{"puna profile set coder slots=2 keep_alive=-1", "change two settings"},
                                     Example{"puna profile set coder parameters.temperature=", "take one away"}};
constexpr std::array kRemoveExamples = {Example{"puna profile rm coder", "serve it no more"}};
constexpr std::array kRecommendExamples = {Example{"puna profile recommend qwen3:8b", "what fits this machine, and why"}};
constexpr std::array kStartExamples = {Example{"puna profile start coder", "load it now"}};
constexpr std::array kStopExamples = {Example{"puna profile stop coder", "give its memory back"}};
constexpr std::array kHistoryExamples = {Example{"puna profile history coder", "what it was, and when"}};
constexpr std::array kRestoreExamples = {Example{"puna profile restore coder 2", "as it was in version 2"}};

constexpr CommandSpec kListProfiles{.name = "list",
                                    .alias = "ls",
                                    .summary = "show the profiles",
                                    .description = "Shows the profiles, what each serves, and whether it is in memory.",
                                    .examples = kListExamples,
                                    .prints_data = true,
                                    .run = list};
constexpr CommandSpec kShowProfile{
    .name = "show",
    .summary = "show a profile's settings",
    .description = "Shows the settings that a profile has; everything else is as the settings and the model have it.",
    .arguments = kOneProfile,
    .examples = kShowExamples,
    .prints_data = true,
    .run = show};
constexpr CommandSpec kCreateProfile{
    .name = "create",
    .summary = "serve a model, a command or a remote server under a name",
    .description =
        "Makes a profile: settings under a name that requests use as their model. Two profiles of one model run side by side, each as it "
        "says. What is not set is as the model and the settings of the daemon have it. docs/profiles.md lists all settings.",
    .arguments = kCreateArguments,
    .options = kCreateOptions,
    .examples = kCreateExamples,
    .prints_data = true,
    .run = create};
constexpr CommandSpec kSetProfile{
    .name = "set",
    .summary = "change a profile's settings",
    .description =
        "Changes the settings that are named and makes a new version of the profile. A worker that runs takes no new requests, ends those "
        "it has, and the next request finds one with the new settings.",
    .arguments = kSetArguments,
    .examples = kSetExamples,
    .prints_data = true,
    .run = set};
constexpr CommandSpec kRemoveProfile{
    .name = "rm",
    .alias = "remove",
    .summary = "remove a profile",
    .description = "Stops its worker and removes a profile. `puna profile restore` brings any version back.",
    .arguments = kOneProfile,
    .examples = kRemoveExamples,
    .prints_data = true,
    .run = remove};
constexpr CommandSpec kRecommendProfile{
    .name = "recommend",
    .summary = "show which settings suit a model on this machine",
    .description =
        "Shows context, slots, threads, GPU layers and the kind of cache that suit a model on this machine, each with the reason. Nothing "
        "is recommended that does not fit; nothing is stored.",
    .arguments = kRecommendArguments,
    .examples = kRecommendExamples,
    .prints_data = true,
    .run = recommend};
constexpr CommandSpec kStartProfile{.name = "start",
                                    .summary = "load a profile now",
                                    .description = "Loads a profile, and returns when it is ready. A failed one is tried again at once.",
                                    .arguments = kOneProfile,
                                    .examples = kStartExamples,
                                    .prints_data = true,
                                    .run = start};
constexpr CommandSpec kStopProfile{
    .name = "stop",
    .summary = "take a profile out of memory",
    .description = "Lets the running requests end and takes a profile out of memory. The next request loads it again.",
    .arguments = kOneProfile,
    .examples = kStopExamples,
    .run = stop};
constexpr CommandSpec kProfileHistory{.name = "history",
                                      .summary = "show the versions of a profile",
                                      .description = "Shows the versions of a profile, newest first, also of a removed one.",
                                      .arguments = kOneProfile,
                                      .examples = kHistoryExamples,
                                      .prints_data = true,
                                      .run = history};
constexpr CommandSpec kRestoreProfile{.name = "restore",
                                      .summary = "bring an old version back",
                                      .description = "Makes an old version of a profile the newest; a removed profile is back.",
                                      .arguments = kRestoreArguments,
                                      .examples = kRestoreExamples,
                                      .prints_data = true,
                                      .run = restore};
constexpr std::array<const CommandSpec*, 10> kChildren = {&kListProfiles,   &kShowProfile,      &kCreateProfile, &kSetProfile,
                                                          &kRemoveProfile,  &kRecommendProfile, &kStartProfile,  &kStopProfile,
                                                          &kProfileHistory, &kRestoreProfile};

}  // namespace

constinit const CommandSpec kProfile{
    .name = "profile",
    .group = Group::models,
    .summary = "serve models under names, each set up for its purpose",
    .description =
        "A profile is a name for requests, and how it is served: a model with its context, slots, cache, adapters and sampling; or a "
        "command that serves OpenAI's API; or a server elsewhere.",
    .examples = kCreateExamples,
    .children = kChildren,
};

}  // namespace puna::cli
