#include "access/owner.h"
#include "api/routes/groups.h"
#include "wire/profile.h"

namespace puna::api {
namespace {

using Mode = profile::Profiles::Mode;

// The bodies of wire::NewProfile and wire::ProfileChange with their settings as they came, so that every wrong one can be named.
struct NewBody {
  std::string name;
  json::object settings;
};
BOOST_DESCRIBE_STRUCT(NewBody, (), (name, settings))

struct ChangeBody {
  std::optional<std::int64_t> version;
  json::object settings;
};
BOOST_DESCRIBE_STRUCT(ChangeBody, (), (version, settings))

// A profile can say which program runs as this user, in which environment, and where a key of the daemon's is sent.
Result<> check_may_say(Call& call, const json::object& settings) {
  for (const std::string_view member : {"command", "environment", "url", "key_env", "key_file"})
    if (settings.contains(member)) PUNA_CHECK(access::require_owner(call.caller(), fmt::format("a profile's {} is guarded", member)));
  return {};
}

net::Task<Result<>> list_profiles(Call& call) {
  auto& profiles = call.workbench().profiles();
  PUNA_CO_TRY(auto list, co_await call.blocking([&] { return profiles.list(); }));
  co_return co_await call.reply(wire::ProfileList{std::move(list)});
}

net::Task<Result<>> show_profile(Call& call) {
  auto& profiles = call.workbench().profiles();
  PUNA_CO_TRY(auto profile, co_await call.blocking([&] { return profiles.find(call.path_parameter("name")); }));
  co_return co_await call.reply(std::move(profile));
}

net::Task<Result<>> create_profile(Call& call) {
  PUNA_CO_TRY(const auto body, call.body<NewBody>());
  PUNA_CO_CHECK(check_may_say(call, body.settings));
  auto& profiles = call.workbench().profiles();
  PUNA_CO_TRY(auto profile, co_await call.blocking([&] { return profiles.create(body.name, body.settings); }));
  co_return co_await call.reply(std::move(profile), 201);
}

net::Task<Result<>> change_profile(Call& call, Mode mode) {
  PUNA_CO_TRY(const auto body, call.body<ChangeBody>());
  PUNA_CO_CHECK(check_may_say(call, body.settings));
  auto& profiles = call.workbench().profiles();
  PUNA_CO_TRY(auto profile,
              co_await call.blocking([&] { return profiles.change(call.path_parameter("name"), mode, body.settings, body.version); }));
  co_return co_await call.reply(std::move(profile));
}

net::Task<Result<>> replace_profile(Call& call) {
  return change_profile(call, Mode::replace);
}
net::Task<Result<>> patch_profile(Call& call) {
  return change_profile(call, Mode::merge);
}

net::Task<Result<>> remove_profile(Call& call) {
  PUNA_CO_TRY(auto profile, co_await call.workbench().remove_profile(call.path_parameter("name")));
  co_return co_await call.reply(std::move(profile));
}

net::Task<Result<>> show_history(Call& call) {
  auto& profiles = call.workbench().profiles();
  PUNA_CO_TRY(auto history, co_await call.blocking([&] { return profiles.history(call.path_parameter("name")); }));
  co_return co_await call.reply(std::move(history));
}

net::Task<Result<>> restore_profile(Call& call) {
  PUNA_CO_TRY(const auto body, call.body<wire::RestoreProfile>());
  auto& profiles = call.workbench().profiles();
  PUNA_CO_TRY(auto profile, co_await call.blocking([&] { return profiles.restore(call.path_parameter("name"), body.version); }));
  co_return co_await call.reply(std::move(profile));
}

net::Task<Result<>> recommend_profile(Call& call) {
  PUNA_CO_TRY(const auto body, call.body<wire::RecommendProfile>());
  auto& workbench = call.workbench();
  PUNA_CO_TRY(auto recommendation, co_await call.blocking([&] { return workbench.recommend_profile(body.model); }));
  co_return co_await call.reply(std::move(recommendation));
}

}  // namespace

std::span<const Route> profile_routes() {
  static const std::vector<Route> routes = {
      {.method = "GET",
       .path = "/api/v1/profiles",
       .operation = "listProfiles",
       .summary = "what is served under names of its own, and how",
       .handle = list_profiles,
       .scope = wire::Scope::read,
       .response_schema = schema_of<wire::ProfileList>},
      {.method = "POST",
       .path = "/api/v1/profiles",
       .operation = "createProfile",
       .summary = "serve a model, a command or a remote server under a name",
       .handle = create_profile,
       .scope = wire::Scope::manage,
       .request_schema = schema_of<wire::NewProfile>,
       .response_schema = schema_of<wire::Profile>,
       .success_status = 201},
      {.method = "POST",
       .path = "/api/v1/profiles/recommend",
       .operation = "recommendProfile",
       .summary = "settings for a model on this machine, each with its reason; nothing is stored",
       .handle = recommend_profile,
       .scope = wire::Scope::read,
       .request_schema = schema_of<wire::RecommendProfile>,
       .response_schema = schema_of<wire::ProfileRecommendation>},
      {.method = "GET",
       .path = "/api/v1/profiles/{name}",
       .operation = "showProfile",
       .summary = "one profile",
       .handle = show_profile,
       .scope = wire::Scope::read,
       .response_schema = schema_of<wire::Profile>},
      {.method = "PUT",
       .path = "/api/v1/profiles/{name}",
       .operation = "replaceProfile",
       .summary = "give a profile other settings; with `version`, only if it still has that one",
       .handle = replace_profile,
       .scope = wire::Scope::manage,
       .request_schema = schema_of<wire::ProfileChange>,
       .response_schema = schema_of<wire::Profile>},
      {.method = "PATCH",
       .path = "/api/v1/profiles/{name}",
       .operation = "changeProfile",
       .summary = "change the settings that are named, null takes one away; with `version`, only if it still has that one",
       .handle = patch_profile,
       .scope = wire::Scope::manage,
       .request_schema = schema_of<wire::ProfileChange>,
       .response_schema = schema_of<wire::Profile>},
      {.method = "DELETE",
       .path = "/api/v1/profiles/{name}",
       .operation = "removeProfile",
       .summary = "stop serving under the name; its versions can be brought back",
       .handle = remove_profile,
       .scope = wire::Scope::manage,
       .response_schema = schema_of<wire::Profile>},
      {.method = "GET",
       .path = "/api/v1/profiles/{name}/history",
       .operation = "listProfileVersions",
       .summary = "the versions of a profile, newest first, also of a removed one",
       .handle = show_history,
       .scope = wire::Scope::read,
       .response_schema = schema_of<wire::ProfileHistory>},
      {.method = "POST",
       .path = "/api/v1/profiles/{name}/restore",
       .operation = "restoreProfile",
       .summary = "make an old version the newest",
       .handle = restore_profile,
       .scope = wire::Scope::manage,
       .request_schema = schema_of<wire::RestoreProfile>,
       .response_schema = schema_of<wire::Profile>},
  };
  return routes;
}

}  // namespace puna::api
