#include <array>
#include <charconv>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"
#include "cli/screen/table.h"
#include "cli/screen/time_text.h"
#include "cli/text.h"

namespace puna::cli {
namespace {

constexpr std::int64_t kMost = 1'000'000'000'000'000;

constexpr std::array kNewName = {ArgumentSpec{.name = "NAME", .help = "what the key is for, such as laptop"}};
constexpr std::array kKeyArgument = {ArgumentSpec{.name = "KEY", .help = "a key's name or ID"}};
constexpr std::array kCreateOptions = {
    OptionSpec{.name = "scope",
               .value = "SCOPE",
               .help = "what it allows: inference (unless told), metrics, read, manage or admin; may be repeated",
               .repeatable = true},
    OptionSpec{.name = "expires", .value = "DURATION", .help = "how long it is good, such as 30d; for ever unless told"},
    OptionSpec{.name = "model",
               .value = "MODEL",
               .help = "a model that it may use, or owner/* for several; all unless told; may be repeated",
               .completes = Completes::models,
               .repeatable = true},
    OptionSpec{.name = "priority", .value = "PRIORITY", .help = "in a model's queue: low, normal or high"},
    OptionSpec{.name = "weight", .value = "NUMBER", .help = "its share of a model beside other clients; 1 unless told"},
    OptionSpec{.name = "requests-per-minute", .value = "NUMBER", .help = "most requests a minute; 0: no limit"},
    OptionSpec{.name = "tokens-per-minute", .value = "NUMBER", .help = "most tokens a minute, read and written; 0: no limit"},
    OptionSpec{.name = "budget-tokens", .value = "NUMBER", .help = "most tokens a month, or a day with --budget-period"},
    OptionSpec{.name = "budget-requests", .value = "NUMBER", .help = "most requests a month, or a day with --budget-period"},
    OptionSpec{.name = "budget-period", .value = "PERIOD", .help = "day or month, of UTC"},
};
constexpr std::array kListOptions = {OptionSpec{.name = "all", .letter = 'a', .help = "revoked and expired keys, too"}};

template <class T>
Result<T> enumerator(std::string_view option, const std::string& text) {
  if (const auto value = json::enum_from_name<T>(text)) return *value;
  std::string names;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>(
      [&](auto row) { names += (names.empty() ? "" : ", ") + std::string(row.name); });
  return fail(Code::invalid_argument, fmt::format("--{}: '{}' is none of {}", option, printable(text), names));
}

Result<std::optional<std::int64_t>> number(const Invocation& invocation, std::string_view option) {
  if (!invocation.has(option)) return std::optional<std::int64_t>{};
  PUNA_TRY(const auto given, invocation.number(option, 0, 0, kMost));
  return std::optional(given);
}

Result<std::optional<wire::Budget>> read_budget(const Invocation& invocation) {
  wire::Budget budget;
  PUNA_TRY(budget.tokens, number(invocation, "budget-tokens"));
  PUNA_TRY(budget.requests, number(invocation, "budget-requests"));
  if (const auto period = invocation.text("budget-period")) {
    PUNA_TRY(budget.period, enumerator<wire::BudgetPeriod>("budget-period", *period));
  }
  if (budget.tokens || budget.requests) return std::optional(budget);
  if (budget.period) return fail(Code::invalid_argument, "--budget-period needs --budget-tokens or --budget-requests");
  return std::optional<wire::Budget>{};
}

Result<std::optional<double>> read_weight(const Invocation& invocation) {
  const auto text = invocation.text("weight");
  if (!text) return std::optional<double>{};
  double weight = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), weight);
  if (error != std::errc{} || end != text->data() + text->size())
    return fail(Code::invalid_argument, fmt::format("--weight: '{}' is no number", printable(*text)));
  return std::optional(weight);
}

Result<wire::KeyRequest> read_request(const Invocation& invocation) {
  wire::KeyRequest request{.name = invocation.argument("NAME"), .expires_in = invocation.text("expires")};
  for (const auto& text : invocation.all("scope")) {
    PUNA_TRY(const auto scope, enumerator<wire::Scope>("scope", text));
    if (!request.scopes) request.scopes.emplace();
    request.scopes->push_back(scope);
  }
  if (auto models = invocation.all("model"); !models.empty()) request.models = std::move(models);
  if (const auto priority = invocation.text("priority")) {
    PUNA_TRY(request.priority, enumerator<wire::Priority>("priority", *priority));
  }
  PUNA_TRY(request.weight, read_weight(invocation));
  PUNA_TRY(request.requests_per_minute, number(invocation, "requests-per-minute"));
  PUNA_TRY(request.tokens_per_minute, number(invocation, "tokens-per-minute"));
  PUNA_TRY(request.budget, read_budget(invocation));
  return request;
}

std::string scopes_text(const wire::ApiKey& key) {
  std::vector<std::string> names;
  for (const auto scope : key.scopes) names.emplace_back(json::enum_name(scope));
  return join(names, ",");
}

Result<ExitCode> create(Context& context, const Invocation& invocation) {
  PUNA_TRY(const auto request, read_request(invocation));
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(const auto made, daemon->create_key(request));
  if (invocation.has("json")) {
    context.print_json(made);
    return ExitCode::ok;
  }
  context.console().err.line(
      printable(fmt::format("the key '{}' allows {}; it is shown this once:", made.key.name, scopes_text(made.key))));
  context.console().out.line(made.secret);
  return ExitCode::ok;
}

Result<ExitCode> list(Context& context, const Invocation& invocation) {
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(auto list, daemon->keys());
  if (!invocation.has("all")) std::erase_if(list.keys, [](const wire::ApiKey& key) { return key.state != wire::KeyState::active; });
  if (invocation.has("json")) {
    context.print_json(list);
    return ExitCode::ok;
  }
  Table table({{.title = "NAME", .gives_way = true}, {"KEY"}, {"STATE"}, {"SCOPES"}, {"EXPIRES"}, {"LAST USED"}});
  for (const auto& key : list.keys)
    table.add({key.name, key.prefix + "...", std::string(json::enum_name(key.state)), scopes_text(key),
               key.expires_at ? (key.state == wire::KeyState::expired ? time_ago(*key.expires_at, context.now())
                                                                      : time_ahead(*key.expires_at, context.now()))
                              : "never",
               key.last_used_at ? time_ago(*key.last_used_at, context.now()) : "never"});
  table.print(context.console().out);
  return ExitCode::ok;
}

std::string limit_text(const std::optional<std::int64_t>& limit) {
  if (!limit) return "as the settings say";
  return *limit == 0 ? "no limit" : std::to_string(*limit);
}

std::string budget_text(const wire::ApiKey& key) {
  if (!key.budget) return "none";
  std::vector<std::string> parts;
  const wire::Spent spent = key.spent.value_or(wire::Spent{});
  if (key.budget->tokens) parts.push_back(fmt::format("{} of {} tokens", spent.tokens, *key.budget->tokens));
  if (key.budget->requests) parts.push_back(fmt::format("{} of {} requests", spent.requests, *key.budget->requests));
  return fmt::format("{} this {}", join(parts, ", "), json::enum_name(key.budget->period.value_or(wire::BudgetPeriod::month)));
}

Result<ExitCode> show(Context& context, const Invocation& invocation) {
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(const auto key, daemon->key(invocation.argument("KEY")));
  if (invocation.has("json")) {
    context.print_json(key);
    return ExitCode::ok;
  }
  const auto now = context.now();
  Table table({{""}, {.title = "", .gives_way = true}});
  table.add({"name", key.name});
  table.add({"id", key.id});
  table.add({"key", key.prefix + "..."});
  table.add({"state", std::string(json::enum_name(key.state))});
  table.add({"scopes", scopes_text(key)});
  table.add({"models", key.models ? join(*key.models, ", ") : "all"});
  table.add({"priority", fmt::format("{}, weight {}", json::enum_name(key.priority), key.weight)});
  table.add({"requests a minute", limit_text(key.requests_per_minute)});
  table.add({"tokens a minute", limit_text(key.tokens_per_minute)});
  table.add({"budget", budget_text(key)});
  table.add({"created", time_ago(key.created_at, now)});
  table.add({"expires", key.expires_at ? *key.expires_at : "never"});
  if (key.revoked_at) table.add({"revoked", time_ago(*key.revoked_at, now)});
  table.add({"last used", key.last_used_at ? time_ago(*key.last_used_at, now) : "never"});
  table.print(context.console().out);
  return ExitCode::ok;
}

Result<ExitCode> revoke(Context& context, const Invocation& invocation) {
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(const auto key, daemon->revoke_key(invocation.argument("KEY")));
  if (invocation.has("json"))
    context.print_json(key);
  else
    context.console().err.line(printable(fmt::format("the key '{}' ({}...) is refused from now on", key.name, key.prefix)));
  return ExitCode::ok;
}

constexpr std::array kCreateExamples = {
    Example{"puna key create laptop", "a key that may use every model"},
    Example{"puna key create guest --expires 1d --model qwen2.5:7b --budget-tokens 200000 --budget-period day", "a key with bounds"},
    Example{"puna key create prometheus --scope metrics", "a key that reads the metrics and nothing else"}};
constexpr std::array kListExamples = {Example{"puna key list", "the keys and when they were last used"}};
constexpr std::array kShowExamples = {Example{"puna key show guest", "what a key may, and what is left of its budget"}};
constexpr std::array kRevokeExamples = {Example{"puna key revoke laptop", "a lost machine is locked out at once"}};

constexpr CommandSpec kCreateKey{.name = "create",
                                 .summary = "make an API key",
                                 .description = "Makes an API key and prints it: this once, since only its hash is kept.",
                                 .arguments = kNewName,
                                 .options = kCreateOptions,
                                 .examples = kCreateExamples,
                                 .prints_data = true,
                                 .run = create};
constexpr CommandSpec kListKeys{.name = "list",
                                .alias = "ls",
                                .summary = "show the API keys",
                                .description = "Shows the API keys by their beginnings.",
                                .options = kListOptions,
                                .examples = kListExamples,
                                .prints_data = true,
                                .run = list};
constexpr CommandSpec kShowKey{.name = "show",
                               .summary = "show one API key's terms",
                               .description = "Shows what a key allows, its limits, and what it has used of its budget.",
                               .arguments = kKeyArgument,
                               .examples = kShowExamples,
                               .prints_data = true,
                               .run = show};
constexpr CommandSpec kRevokeKey{.name = "revoke",
                                 .summary = "refuse an API key from now on",
                                 .description = "Refuses a key from now on and ends the requests that run with it. It cannot be undone.",
                                 .arguments = kKeyArgument,
                                 .examples = kRevokeExamples,
                                 .prints_data = true,
                                 .run = revoke};
constexpr std::array<const CommandSpec*, 5> kChildren = {&kCreateKey, &kListKeys, &kShowKey, &kRevokeKey, &kKeyTls};
constexpr std::array kExamples = {Example{"puna key create laptop", "a key that may use every model"},
                                  Example{"puna key tls", "a certificate, so that other machines can come"}};

}  // namespace

constinit const CommandSpec kKey{
    .name = "key",
    .group = Group::daemon,
    .summary = "make and revoke API keys",
    .description =
        "API keys let other machines in, each with what it may do and how much. On this machine none is needed unless the "
        "setting access.require_key says so.",
    .examples = kExamples,
    .children = kChildren,
};

}  // namespace puna::cli
