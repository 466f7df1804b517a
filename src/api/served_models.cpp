#include "api/served_models.h"

#include <algorithm>

namespace puna::api {
namespace {

// A profile looks like its model under another name. A command and a remote server may do without one of the library.
wire::Model seen_as_model(const wire::Profile& profile, const wire::Model* served) {
  wire::Model out = served != nullptr ? *served : wire::Model();
  out.name = profile.name;
  out.modified_at = profile.modified_at;
  out.alias_of.reset();
  if (served == nullptr) {
    out.store = "profile";
    // What it can do is known to its own server only, which refuses the rest.
    out.details.capabilities = {"completion", "chat", "tools", "thinking", "embedding"};
  }
  return out;
}

bool may_see(Call& call, const wire::Model& model) {
  return call.workbench().access().may_use(call.caller().id, model.name, model.name).has_value();
}

}  // namespace

net::Task<Result<std::vector<wire::Model>>> served_models(Call& call) {
  auto& workbench = call.workbench();
  PUNA_CO_TRY(const auto profiles, co_await call.blocking([&] { return workbench.profiles().list(); }));
  PUNA_CO_TRY(const auto models, co_await call.blocking([&] { return workbench.library().list(); }));
  std::vector<wire::Model> out;
  for (const auto& profile : profiles) {
    const auto served = profile.settings.model ? std::ranges::find(models, *profile.settings.model, &wire::Model::name) : models.end();
    out.push_back(seen_as_model(profile, served == models.end() ? nullptr : &*served));
  }
  out.insert(out.end(), models.begin(), models.end());
  std::erase_if(out, [&](const auto& model) { return !may_see(call, model); });
  co_return out;
}

net::Task<Result<wire::Model>> served_model(Call& call, std::string_view name) {
  auto& workbench = call.workbench();
  PUNA_CO_TRY(auto model, co_await call.blocking([&]() -> Result<wire::Model> {
    const auto profile = workbench.profiles().find(name);
    if (!profile) return workbench.library().find(name);
    if (!profile->settings.model) return seen_as_model(*profile, nullptr);
    PUNA_TRY(const auto served, workbench.library().find(*profile->settings.model));
    return seen_as_model(*profile, &served);
  }));
  PUNA_CO_CHECK(workbench.access().may_use(call.caller().id, name, model.name));
  co_return std::move(model);
}

net::Task<Result<wire::ModelDetail>> served_detail(Call& call, std::string_view name) {
  auto& workbench = call.workbench();
  PUNA_CO_TRY(auto detail, co_await call.blocking([&]() -> Result<wire::ModelDetail> {
    const auto profile = workbench.profiles().find(name);
    if (!profile) return workbench.library().show(name);
    if (!profile->settings.model) return wire::ModelDetail{.model = seen_as_model(*profile, nullptr)};
    PUNA_TRY(auto served, workbench.library().show(*profile->settings.model));
    served.model = seen_as_model(*profile, &served.model);
    return served;
  }));
  PUNA_CO_CHECK(workbench.access().may_use(call.caller().id, name, detail.model.name));
  co_return std::move(detail);
}

}  // namespace puna::api
