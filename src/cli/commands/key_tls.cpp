#include <algorithm>
#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"
#include "cli/screen/table.h"
#include "cli/screen/time_text.h"

namespace puna::cli {
namespace {

constexpr std::int64_t kMostDays = 100'000;  // the daemon knows the bound

constexpr std::array kOptions = {
    OptionSpec{.name = "name",
               .value = "NAME",
               .help = "a host name or an address by which clients reach this machine, instead of those that it knows; may be repeated",
               .repeatable = true},
    OptionSpec{.name = "days", .value = "NUMBER", .help = "how long it is good; 365 unless told, 825 at most"},
    OptionSpec{.name = "renew", .help = "put a new one in the place of the one that is there"},
};
constexpr std::array kExamples = {Example{"puna key tls", "make it, or show the one that is there"},
                                  Example{"puna key tls --renew --name models.lan --name 192.168.1.5", "another one, for these names"}};

void print_sheet(Context& context, const wire::Certificate& certificate) {
  const auto now = context.now();
  Table table({{""}, {.title = "", .gives_way = true}});
  table.add({"names", join(certificate.names, ", ")});
  table.add({"expires", fmt::format("{} ({})", certificate.expires_at, time_ahead(certificate.expires_at, now))});
  table.add({"SHA-256", certificate.fingerprint});
  table.add({"file", certificate.file});
  table.add({"authority", certificate.authority});
  table.add({"expires", certificate.authority_expires_at});
  table.add({"SHA-256", certificate.authority_fingerprint});
  table.print(context.console().out);
}

std::string port_of(const wire::SettingsView& view) {
  const auto found = std::ranges::find(view.settings, "server.port", &wire::SettingView::key);
  return found == view.settings.end() || found->value == "0" ? "PORT" : found->value;
}

std::string address_of(const wire::Certificate& certificate, const std::string& port) {
  const auto& host = certificate.names.empty() ? std::string("HOSTNAME") : certificate.names.front();
  return fmt::format("https://{}:{}", host.contains(':') ? fmt::format("[{}]", host) : host, port);
}

// What a client must do.
void tell_trust(Context& context, const wire::Certificate& certificate, const std::string& address) {
  auto& out = context.console().err;
  out.line("");
  out.line("Clients trust it once they have the authority's file; it holds no key, so copy it as you like:");
  out.line(printable(fmt::format("  scp {} CLIENT:puna.pem", certificate.authority)));
  out.line(printable(fmt::format("  curl --cacert puna.pem -H \"Authorization: Bearer $KEY\" {}/v1/models", address)));
  out.line(printable(fmt::format("  SSL_CERT_FILE=puna.pem python ...      with base_url=\"{}/v1\" and api_key", address)));
  out.line("`puna key create NAME` makes a key; `puna serve --host 0.0.0.0` then lets other machines in.");
}

void tell_state(Context& context, const wire::Certificate& certificate) {
  auto& console = context.console();
  if (certificate.made)
    console.err.line("made a certificate; a daemon that speaks TLS already shows it from now on, another from its next start on");
  if (certificate.made && certificate.new_authority) console.err.line("its authority is new: clients need its file");
  if (!certificate.in_use)
    console.warn(
        "server.tls_cert and server.tls_key have other values from the environment or a flag; `puna config show server.tls --origin`");
}

Result<ExitCode> tls(Context& context, const Invocation& invocation) {
  wire::CertificateRequest request;
  if (auto names = invocation.all("name"); !names.empty()) request.names = std::move(names);
  if (invocation.has("days")) {
    PUNA_TRY(request.days, invocation.number("days", 0, 0, kMostDays));
  }
  if (invocation.has("renew")) request.renew = true;
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(const auto certificate, daemon->make_certificate(request));
  if (invocation.has("json")) {
    context.print_json(certificate);
    return ExitCode::ok;
  }
  tell_state(context, certificate);
  print_sheet(context, certificate);
  PUNA_TRY(const auto settings, daemon->settings());
  tell_trust(context, certificate, address_of(certificate, port_of(settings)));
  return ExitCode::ok;
}

}  // namespace

constinit const CommandSpec kKeyTls{
    .name = "tls",
    .summary = "make the certificate that other machines need",
    .description =
        "Makes a certificate for this machine's names and addresses, with a small authority that vouches for nothing else, and points the "
        "settings server.tls_cert and server.tls_key to it. Shows the one that is there, if there is one, and what clients do to trust it. "
        "A renewed one has the same authority where it can, so that clients need nothing new.",
    .options = kOptions,
    .examples = kExamples,
    .prints_data = true,
    .run = tls,
};

}  // namespace puna::cli
