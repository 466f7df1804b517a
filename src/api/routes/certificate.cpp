#include <fmt/format.h>

#include <algorithm>

#include "access/own_certificate.h"
#include "access/owner.h"
#include "api/routes/groups.h"
#include "base/settings_registry.h"
#include "base/text.h"
#include "net/ip_address.h"
#include "net/url.h"
#include "os/network_names.h"
#include "wire/certificate.h"
#include "wire/system.h"

namespace puna::api {
namespace {

access::OwnCertificate certificate_of(Call& call) {
  return access::OwnCertificate(call.workbench().places().data / "tls");
}

// A certificate that somebody brought stays.
Result<> check_no_other(const Settings& settings, const std::string& own) {
  for (const auto* setting : {&setting::kTlsCertificate, &setting::kTlsKey})
    if (const auto& file = settings.get(*setting); !file.empty() && file != own)
      return fail(Code::conflict, fmt::format("{} names {}: `puna config unset {}` first, if Puna's certificate is to take its place",
                                              setting->key, printable(file), setting->key));
  return {};
}

// The settings that this certificate needs: where it is, and that requests may carry its names.
Result<> use(app::Workbench& workbench, const wire::Certificate& made) {
  const auto settings = workbench.settings();
  auto hosts = settings->get(setting::kAllowedHosts);
  for (const auto& name : made.names)
    if (!net::is_ip_address(name) && !net::is_loopback_host(name) && std::ranges::find(hosts, name) == hosts.end()) hosts.push_back(name);
  if (hosts != settings->get(setting::kAllowedHosts))
    PUNA_CHECK(workbench.change_setting({.key = std::string(setting::kAllowedHosts.key), .value = join(hosts, ",")}));
  for (const auto* setting : {&setting::kTlsCertificate, &setting::kTlsKey})
    if (settings->get(*setting) != made.file) PUNA_CHECK(workbench.change_setting({.key = std::string(setting->key), .value = made.file}));
  return {};
}

wire::Certificate with_use(wire::Certificate certificate, const Settings& settings) {
  certificate.in_use = settings.get(setting::kTlsCertificate) == certificate.file && settings.get(setting::kTlsKey) == certificate.file;
  return certificate;
}

net::Task<Result<>> show_certificate(Call& call) {
  PUNA_CO_TRY(const auto known, co_await call.blocking([own = certificate_of(call)] { return own.show(); }));
  if (!known) co_return fail(Code::not_found, "no certificate was made; `puna key tls` makes one");
  co_return co_await call.reply(with_use(*known, *call.workbench().settings()));
}

net::Task<Result<>> make_certificate(Call& call) {
  PUNA_CO_CHECK(access::require_owner(call.caller(), "the certificate is guarded"));
  PUNA_CO_TRY(const auto request, call.body<wire::CertificateRequest>());
  auto& workbench = call.workbench();
  const auto own = certificate_of(call);
  PUNA_CO_CHECK(check_no_other(*workbench.settings(), own.file().string()));
  PUNA_CO_TRY(const auto made, co_await call.blocking([&]() -> Result<wire::Certificate> {
    PUNA_TRY(auto certificate, own.make(request, os::network_names(), std::chrono::system_clock::now()));
    PUNA_CHECK(use(workbench, certificate));
    return certificate;
  }));
  call.host().reload();
  co_return co_await call.reply(with_use(made, *workbench.settings()));
}

}  // namespace

std::span<const Route> certificate_routes() {
  static const std::vector<Route> routes = {
      {.method = "GET",
       .path = "/api/v1/certificate",
       .operation = "showCertificate",
       .summary = "the certificate that the daemon made for other machines to trust",
       .handle = show_certificate,
       .scope = wire::Scope::admin,
       .response_schema = schema_of<wire::Certificate>},
      {.method = "POST",
       .path = "/api/v1/certificate",
       .operation = "makeCertificate",
       .summary = "make a certificate for this machine's names, and set the settings to it; shows the one that is there unless it is to be "
                  "renewed",
       .handle = make_certificate,
       .scope = wire::Scope::admin,
       .request_schema = schema_of<wire::CertificateRequest>,
       .response_schema = schema_of<wire::Certificate>},
  };
  return routes;
}

}  // namespace puna::api
