#include <poll.h>

#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"
#include "client/launch.h"

namespace puna::cli {
namespace {

constexpr std::array kOptions = {
    OptionSpec{.name = "host", .value = "ADDRESS", .help = "TCP address to listen on (setting server.host)"},
    OptionSpec{.name = "port", .value = "PORT", .help = "TCP port to listen on; 0 picks a free one (setting server.port)"},
    OptionSpec{.name = "compat",
               .value = "PROGRAM",
               .help = "also answer where another program's clients look for it: ollama, on port 11434 (setting server.ollama_port)"},
    OptionSpec{.name = "set",
               .value = "KEY=VALUE",
               .help = "any setting, before environment and file; may be repeated",
               .completes = Completes::settings,
               .repeatable = true},
    OptionSpec{.name = "insecure",
               .help = "let other machines in without TLS and, while there is none, without a key (setting server.insecure)"},
    OptionSpec{.name = "stop", .help = "stop the running daemon instead, and wait until it is gone"},
    OptionSpec{.name = "on-demand", .help = "leave when idle", .hidden = true},
    OptionSpec{.name = "ready-fd", .value = "NUMBER", .help = "descriptor to report readiness on", .hidden = true},
};
constexpr std::array kExamples = {Example{"puna serve", "keep a daemon in this terminal"},
                                  Example{"puna serve --port 8080 --set models.keep_alive=-1", "another port; models stay loaded"},
                                  Example{"puna serve --compat ollama", "for clients that know Ollama only"},
                                  Example{"puna serve --stop", "stop it"}};

Result<> add_flag(std::map<std::string, std::string>& flags, const std::string& key, const std::string& value) {
  PUNA_TRY(const auto* spec, find_setting(key));
  PUNA_CHECK(parse_setting(*spec, value));
  flags[key] = value;
  return {};
}

Result<std::map<std::string, std::string>> read_flags(const Invocation& invocation) {
  std::map<std::string, std::string> flags;
  if (const auto host = invocation.text("host")) PUNA_CHECK(add_flag(flags, "server.host", *host));
  if (const auto port = invocation.text("port")) PUNA_CHECK(add_flag(flags, "server.port", *port));
  if (const auto compat = invocation.text("compat")) {
    if (*compat != "ollama")
      return fail(Code::invalid_argument, fmt::format("--compat: '{}' is not known; there is ollama", printable(*compat)));
    PUNA_CHECK(add_flag(flags, "server.ollama_port", "11434"));
  }
  if (invocation.has("insecure")) PUNA_CHECK(add_flag(flags, "server.insecure", "true"));
  for (const auto& assignment : invocation.all("set")) {
    const auto equals = assignment.find('=');
    if (equals == std::string::npos)
      return fail(Code::invalid_argument, fmt::format("--set: '{}' is not KEY=VALUE", printable(assignment)));
    PUNA_CHECK(add_flag(flags, assignment.substr(0, equals), assignment.substr(equals + 1)));
  }
  return flags;
}

// The daemon answers the request first and leaves when its work is done.
Result<> await_end(const os::Places& places, const Interrupt& interrupt, Milliseconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (client::is_owned(places)) {
    constexpr int kPause = 20;
    if (std::chrono::steady_clock::now() >= until)
      return fail(Code::deadline_exceeded, fmt::format("the daemon was asked to stop, but still runs after {}", format_duration(limit)));
    pollfd watched{interrupt.descriptor(), POLLIN, 0};
    if (::poll(&watched, 1, kPause) > 0) return fail(Code::cancelled, "interrupted; the daemon stops when its work is done");
  }
  return {};
}

Result<ExitCode> stop_daemon(Context& context) {
  constexpr Milliseconds kLimit(60'000);
  PUNA_TRY(const bool runs, context.daemon_runs());
  if (!runs) {
    context.console().err.line("no daemon runs");
    return ExitCode::ok;
  }
  PUNA_TRY(auto* daemon, context.daemon(Start::never));
  PUNA_TRY(const auto interrupt, Interrupt::install());
  PUNA_CHECK(daemon->shutdown(interrupt->token()));
  if (!daemon->address().is_own()) return ExitCode::ok;
  PUNA_TRY(const auto places, context.places());
  PUNA_CHECK(await_end(places, *interrupt, kLimit));
  context.console().err.line("the daemon has stopped");
  return ExitCode::ok;
}

Result<ExitCode> serve(Context& context, const Invocation& invocation) {
  if (invocation.has("stop")) return stop_daemon(context);
  ServeRequest request;
  PUNA_TRY(request.flags, read_flags(invocation));
  request.on_demand = invocation.has("on-demand");
  if (invocation.has("ready-fd")) {
    PUNA_TRY(request.ready_descriptor, invocation.number("ready-fd", 0, 0, 1023));
  }
  PUNA_CHECK(context.entry_points().serve(request));
  return ExitCode::ok;
}

}  // namespace

constinit const CommandSpec kServe{
    .name = "serve",
    .group = Group::daemon,
    .summary = "run the daemon",
    .description =
        "Runs the daemon, which owns the library, the loaded models and all long work, and answers on a Unix socket and on a "
        "TCP port of this machine. Every other command talks to it, and starts one that leaves when idle where none runs; `puna "
        "serve` keeps one for good. Ctrl-C lets running requests end; a second one does not wait for them.",
    .options = kOptions,
    .examples = kExamples,
    .run = serve,
};

}  // namespace puna::cli
