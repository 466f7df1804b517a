#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "access/owner.h"
#include "api/routes/groups.h"
#include "base/settings_registry.h"
#include "wire/system.h"

namespace puna::api {
namespace {

net::Task<Result<>> show_settings(Call& call) {
  co_return co_await call.reply(call.workbench().settings_view());
}

// Settings by which a stranger could run a program as this user, read files or traffic of this user's, or let others in.
Result<> check_may_change(const access::Caller& caller, std::string_view key) {
  static const std::array<const SettingSpec*, 20> kGuarded = {&setting::kWorkerProgram,
                                                              &setting::kHost,
                                                              &setting::kInsecure,
                                                              &setting::kTlsCertificate,
                                                              &setting::kTlsKey,
                                                              &setting::kAllowedOrigins,
                                                              &setting::kAllowedHosts,
                                                              &setting::kOllamaPort,
                                                              &setting::kRequireKey,
                                                              &setting::kModelFolders,
                                                              &setting::kProxy,
                                                              &setting::kCaFile,
                                                              &setting::kHubEndpoints,
                                                              &setting::kHubToken,
                                                              &setting::kHubTokenFile,
                                                              &setting::kOllamaRegistry,
                                                              &setting::kModelScopeEndpoint,
                                                              &setting::kModelScopeToken,
                                                              &setting::kOtlpEndpoint,
                                                              &setting::kOtlpHeaders};
  const bool guarded = std::ranges::any_of(kGuarded, [&](const SettingSpec* spec) { return spec->key == key; });
  return guarded ? access::require_owner(caller, fmt::format("the setting {} is guarded", key)) : Result<>();
}

net::Task<Result<>> change_setting(Call& call) {
  PUNA_CO_TRY(const auto change, call.body<wire::SettingChange>());
  PUNA_CO_CHECK(check_may_change(call.caller(), change.key));
  auto& workbench = call.workbench();
  PUNA_CO_CHECK(co_await call.blocking([&] { return workbench.change_setting(change); }));
  call.host().reload();
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
