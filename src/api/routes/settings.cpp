#include "api/routes/groups.h"
#include "wire/system.h"

namespace puna::api {
namespace {

net::Task<Result<>> show_settings(Call& call) {
  co_return co_await call.reply(call.workbench().settings_view());
}

net::Task<Result<>> change_setting(Call& call) {
  PUNA_CO_TRY(const auto change, call.body<wire::SettingChange>());
  auto& workbench = call.workbench();
  PUNA_CO_CHECK(co_await call.blocking([&] { return workbench.change_setting(change); }));
  workbench.apply_settings();
  co_return co_await call.reply(workbench.settings_view());
}

}  // namespace

std::span<const Route> setting_routes() {
  static const std::vector<Route> routes = {
      {.method = "GET",
       .path = "/api/v1/settings",
       .operation = "showSettings",
       .summary = "every setting with its value and where that comes from",
       .handle = show_settings,
       .scope = wire::Scope::admin,
       .response_schema = schema_of<wire::SettingsView>},
      {.method = "PATCH",
       .path = "/api/v1/settings",
       .operation = "changeSetting",
       .summary = "write one setting to the user's file, or take it out",
       .handle = change_setting,
       .scope = wire::Scope::admin,
       .request_schema = schema_of<wire::SettingChange>,
       .response_schema = schema_of<wire::SettingsView>},
  };
  return routes;
}

}  // namespace puna::api
