#include <algorithm>

#include "api/routes/groups.h"
#include "wire/access.h"

namespace puna::api {
namespace {

bool is_day(std::string_view text) {
  return text.size() == 10 && parse_time(fmt::format("{}T00:00:00.000Z", text)).has_value();
}

Result<std::string> day(const Call& call, std::string_view name) {
  const auto text = call.request().query.get(name);
  if (!text) return std::string();
  if (!is_day(*text)) return fail(Code::invalid_argument, fmt::format("{}: expected a day such as 2026-01-31", name));
  return std::string(*text);
}

// Whose usage: everybody's for an admin, else the caller's own.
Result<std::optional<std::string>> client_of(Call& call) {
  std::optional<std::string> wanted;
  if (const auto asked = call.request().query.get("key")) {
    const auto found = call.workbench().access().keys().find(*asked);
    wanted = found ? found->id : std::string(*asked);
  }
  const auto& caller = call.caller();
  if (caller.may(wire::Scope::admin)) return wanted;
  if (wanted && *wanted != caller.id) return fail(Code::permission_denied, "key: only an admin's key sees what others used");
  return std::optional(caller.id);
}

net::Task<Result<>> show_usage(Call& call) {
  access::UsageQuery query;
  PUNA_CO_TRY(query.from, day(call, "from"));
  PUNA_CO_TRY(query.to, day(call, "to"));
  PUNA_CO_TRY(query.client, client_of(call));
  if (const auto model = call.request().query.get("model")) query.model = std::string(*model);
  PUNA_CO_TRY(auto rows, co_await call.workbench().access().usage(std::move(query)));
  co_return co_await call.reply(wire::UsageReport{std::move(rows)});
}

}  // namespace

std::span<const Route> usage_routes() {
  static const std::vector<Route> routes = {
      {.method = "GET",
       .path = "/api/v1/access/usage",
       .operation = "showUsage",
       .summary = "requests, tokens and times by day, client and model; a key without the scope admin sees its own",
       .handle = show_usage,
       .scope = wire::Scope::inference,
       .response_schema = schema_of<wire::UsageReport>,
       .query = {{"from", "first day, such as 2026-01-31 (UTC)"},
                 {"to", "last day"},
                 {"key", "a key's ID or name, \"local\", or \"addr:ADDRESS\""},
                 {"model", "a model's full name"}}},
  };
  return routes;
}

}  // namespace puna::api
