#include "daemon/serve.h"

#include <unistd.h>

#include <boost/asio/signal_set.hpp>
#include <csignal>

#include "api/service.h"
#include "app/workbench.h"
#include "base/log.h"
#include "base/settings_registry.h"
#include "base/text.h"
#include "base/version.h"
#include "daemon/exposure.h"
#include "daemon/idle_exit.h"
#include "daemon/ollama_listener.h"
#include "net/http_server.h"
#include "os/descriptor.h"
#include "os/environment.h"
#include "os/file_lock.h"
#include "os/network_names.h"
#include "os/notify.h"
#include "os/places.h"
#include "os/process.h"

namespace puna::daemon {
namespace {

namespace asio = net::asio;

constexpr int kPoolThreads = 4;

net::ServerOptions server_options(const Settings& settings) {
  net::ServerOptions options;
  options.max_header = settings.get(setting::kMaxHeader);
  options.max_body = settings.get(setting::kMaxBody);
  options.header_deadline = settings.get(setting::kHeaderDeadline);
  options.body_deadline = settings.get(setting::kBodyDeadline);
  options.idle_deadline = settings.get(setting::kKeepAliveConnection);
  options.max_connections = static_cast<std::size_t>(settings.get(setting::kMaxConnections));
  options.allowed_hosts = settings.get(setting::kAllowedHosts);
  options.allowed_origins = settings.get(setting::kAllowedOrigins);
  options.format_error = api::Service::format_error;
  return options;
}

Result<> open_log(const Settings& settings, const os::Places& places, bool to_stderr) {
  return log::open({.file = places.log_file(),
                    .max_file_size = settings.get(setting::kLogFileSize),
                    .max_files = static_cast<std::size_t>(settings.get(setting::kLogFiles)),
                    .level = json::enum_from_name<log::Level>(settings.get(setting::kLogLevel)).value_or(log::Level::info),
                    .to_stderr = to_stderr});
}

// Everything between a held lock and the end of the process.
class Daemon final : public api::Host {
 public:
  Daemon(const ServeOptions& options, os::Places places, SettingsStore& settings, std::vector<std::string> problems)
      : options_(options),
        places_(std::move(places)),
        settings_(settings),
        problems_(std::move(problems)),
        io_(kPoolThreads),
        signals_(io_.context(), SIGTERM, SIGINT, SIGHUP) {}

  Result<> start();
  // Returns when the daemon has drained.
  Result<> run();

  api::Phase phase() const override { return phase_; }
  net::ServerStats stats() const override;
  WallTime started() const override { return started_; }
  bool on_demand() const override { return options_.on_demand; }
  std::string socket() const override { return places_.socket().string(); }
  std::optional<std::string> tcp() const override { return tcp_; }
  bool tls() const override { return identity_ != nullptr; }
  std::vector<std::string> problems() const override;
  void reload() override;
  void request_shutdown() override { begin_draining("shutdown request"); }

 private:
  Result<> listen();
  void listen_for_ollamas_clients(const net::ServerOptions& options);
  Result<> load_certificate();
  void await_signal();
  void begin_draining(std::string_view cause);
  net::Task<void> drain();
  void watch_idleness();
  bool busy();

  const ServeOptions& options_;
  os::Places places_;
  SettingsStore& settings_;
  std::vector<std::string> problems_;
  const WallTime started_ = std::chrono::system_clock::now();
  api::Phase phase_ = api::Phase::starting;
  std::optional<std::string> tcp_;
  std::shared_ptr<net::TlsIdentity> identity_;  // null: TCP is plain
  std::optional<std::string> misnamed_;         // a warning of its names
  net::Io io_;
  asio::signal_set signals_;
  std::unique_ptr<app::Workbench> workbench_;
  std::unique_ptr<api::Service> service_;
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<OllamaListener> ollama_;  // null: none was asked for, or its port is taken
  std::unique_ptr<IdleExit> idle_;
  EventBus::Subscription idle_subscription_;
  net::Spawned draining_;
  Result<> outcome_;
};

Result<> Daemon::start() {
  PUNA_TRY(const auto program, os::own_program());
  PUNA_TRY(workbench_, app::Workbench::create({io_, places_, settings_, program}));
  service_ = std::make_unique<api::Service>(*workbench_, *this);
  auto options = server_options(*settings_.snapshot());
  options.streamed_body = [this](const net::ServerRequest& request) { return service_->streamed_body(request); };
  options.admit = [this](const net::ServerRequest& request) { return service_->admit(request); };
  server_ = std::make_unique<net::HttpServer>(io_, options, service_->handler());
  PUNA_CHECK(listen());
  listen_for_ollamas_clients(options);
  PUNA_CHECK(workbench_->start());
  phase_ = api::Phase::ready;
  await_signal();
  if (options_.on_demand) watch_idleness();
  log::info(
      "daemon", "ready",
      {{"version", version()}, {"pid", ::getpid()}, {"socket", socket()}, {"tcp", tcp_.value_or("off")}, {"data", places_.data.string()}});
  return {};
}

Result<> Daemon::listen() {
  const auto settings = settings_.snapshot();
  PUNA_CHECK(server_->listen_unix(places_.socket()));
  if (!settings->get(setting::kTcp)) return {};
  const auto& host = settings->get(setting::kHost);
  const Exposure exposure{.host = host,
                          .tls = !settings->get(setting::kTlsCertificate).empty(),
                          .key = workbench_->access().keys().any_active(),
                          .insecure = settings->get(setting::kInsecure)};
  if (auto judged = judge(exposure); !judged) {
    if (!options_.on_demand) return judged;
    problems_.push_back("no TCP: " + judged.error().message);  // whoever started this daemon needs the Unix socket, to put it right
    log::warning("daemon", problems_.back());
    return {};
  }
  if (auto warning = warning_of(exposure)) {
    log::warning("daemon", *warning);
    problems_.push_back(std::move(*warning));
  }
  if (exposure.tls) PUNA_CHECK(load_certificate());
  const auto security = exposure.tls ? net::Security::tls : net::Security::plain;
  auto endpoint = server_->listen_tcp(host, static_cast<std::uint16_t>(settings->get(setting::kPort)), security);
  if (!endpoint && endpoint.error().code == Code::conflict)
    endpoint.error().message += "; end that, or set server.port (PUNA_PORT) to another one, 0 for any that is free";
  if (!endpoint) return fail(std::move(endpoint).error());
  tcp_ = fmt::format("{}:{}", endpoint->address, endpoint->port);
  return {};
}

// A convenience: when it cannot be had, the daemon says so and goes on.
void Daemon::listen_for_ollamas_clients(const net::ServerOptions& options) {
  const auto port = static_cast<std::uint16_t>(settings_.snapshot()->get(setting::kOllamaPort));
  if (port == 0) return;
  auto listener = OllamaListener::open(io_, options, service_->handler(), port);
  if (listener) {
    ollama_ = std::move(*listener);
    log::info("daemon", "ollama's clients are answered", {{"address", ollama_->address()}});
    return;
  }
  problems_.push_back(
      fmt::format("server.ollama_port: {}; Ollama's clients reach this daemon at its own address only", listener.error().message));
  log::warning("daemon", problems_.back());
}

net::ServerStats Daemon::stats() const {
  auto out = server_->stats();
  if (!ollama_) return out;
  const auto more = ollama_->server().stats();
  out.connections += more.connections;
  out.active_requests += more.active_requests;
  out.requests += more.requests;
  return out;
}

Result<> Daemon::load_certificate() {
  const auto settings = settings_.snapshot();
  PUNA_TRY(identity_, net::TlsIdentity::load({settings->get(setting::kTlsCertificate), settings->get(setting::kTlsKey)}));
  server_->use_tls(identity_);
  const auto reached = reached_as(settings->get(setting::kHost), os::network_names(), settings->get(setting::kAllowedHosts));
  misnamed_ = name_warning(reached, [this](const std::string& host) { return identity_->fits(host); });
  return {};
}

std::vector<std::string> Daemon::problems() const {
  auto out = problems_;
  if (auto warning = identity_ ? expiry_warning(identity_->expires(), std::chrono::system_clock::now()) : std::nullopt)
    out.push_back(std::move(*warning));
  if (auto warning = identity_ ? misnamed_ : std::nullopt) out.push_back(std::move(*warning));
  return out;
}

void Daemon::reload() {
  const auto changed = workbench_->apply_settings();
  const auto settings = settings_.snapshot();
  server_->set_allowed(settings->get(setting::kAllowedHosts), settings->get(setting::kAllowedOrigins));
  if (ollama_) ollama_->server().set_allowed(settings->get(setting::kAllowedHosts), settings->get(setting::kAllowedOrigins));
  if (identity_)
    if (auto loaded = load_certificate(); !loaded)
      log::error("daemon", "the old certificate stays in use", {{"error", loaded.error().text()}});
  log::info("daemon", "settings reloaded", {{"changed", join(changed, ",")}});
}

void Daemon::await_signal() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (signal == SIGHUP) {
      reload();
    } else if (phase_ == api::Phase::draining) {
      outcome_ = fail(Code::cancelled, "a second signal came before everything had ended");
      io_.stop();
      return;
    } else {
      begin_draining(signal == SIGTERM ? "SIGTERM" : "SIGINT");
    }
    await_signal();
  });
}

void Daemon::begin_draining(std::string_view cause) {
  if (phase_ == api::Phase::draining) return;
  phase_ = api::Phase::draining;
  log::info("daemon", "draining", {{"cause", cause}});
  workbench_->events().publish("daemon.draining", {{"cause", cause}});
  if (auto told = os::notify_systemd("STOPPING=1"); !told) log::warning("daemon", told.error().text());
  draining_ = net::spawn(io_, "drain", drain());
}

net::Task<void> Daemon::drain() {
  const auto grace = settings_.snapshot()->get(setting::kDrain);
  if (ollama_) co_await ollama_->server().drain(grace);
  co_await server_->drain(grace);
  outcome_ = co_await workbench_->shut_down(grace);
  log::info("daemon", "stopped");
  io_.stop();
}

bool Daemon::busy() {
  return stats().active_requests > 0 || workbench_->fleet().running() > 0 || workbench_->jobs().active() > 0;
}

void Daemon::watch_idleness() {
  idle_ = std::make_unique<IdleExit>(io_, IdleExit::Parts{.busy = [this] { return busy(); },
                                                          .limit = [this] { return settings_.snapshot()->get(setting::kIdleExit); },
                                                          .leave = [this] { begin_draining("idle"); }});
  server_->on_activity([this] { idle_->changed(); });
  if (ollama_) ollama_->server().on_activity([this] { idle_->changed(); });
  idle_subscription_ = workbench_->events().subscribe([this] { asio::post(io_.context(), [this] { idle_->changed(); }); });
  idle_->changed();
}

Result<> Daemon::run() {
  io_.run();
  idle_subscription_ = {};
  if (!outcome_) {
    // Something did not end within the drain time: waiting for its thread could take for ever, and all that must last is on disk.
    log::error("daemon", "ending by force", {{"error", outcome_.error().text()}});
    ::_exit(traits(outcome_.error().code).exit_code);
  }
  return {};
}

// Tells whoever started us how it went, once.
class StartReport {
 public:
  explicit StartReport(std::optional<int> descriptor) : pipe_(descriptor.value_or(-1)) {}

  void tell(const Result<>& outcome) {
    if (!pipe_) return;
    const std::string line = outcome ? "ready\n" : fmt::format("error {} {}\n", to_string(outcome.error().code), outcome.error().text());
    if (auto written = os::write_all(pipe_.get(), line); !written) log::warning("daemon", written.error().text());
    pipe_.reset();
  }

 private:
  os::UniqueFd pipe_;
};

Result<> run_locked(const ServeOptions& options, const os::Places& places, const std::vector<os::LooseMode>& loose, StartReport& report) {
  SettingsStore settings({places.config_file, os::current_environment(), options.flags});
  PUNA_CHECK(open_log(*settings.snapshot(), places, options.log_to_stderr));
  std::vector<std::string> problems;
  for (const auto& folder : loose)
    problems.push_back(fmt::format("{} has mode {:04o}; {:04o} keeps others out", folder.path.string(), folder.found, folder.wanted));
  for (const auto& problem : problems) log::warning("daemon", problem);
  for (const auto& problem : settings.problems()) log::warning("daemon", problem.text());

  Daemon daemon(options, places, settings, std::move(problems));
  PUNA_CHECK(daemon.start());
  report.tell({});
  if (auto told = os::notify_systemd("READY=1"); !told) log::warning("daemon", told.error().text());
  return daemon.run();
}

}  // namespace

Result<> serve(const ServeOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file beyond the limit of `ulimit -f` is an error of its transfer, not the daemon's end
  StartReport report(options.ready_descriptor);
  const auto outcome = [&]() -> Result<> {
    PUNA_TRY(const auto places, os::find_places(os::current_environment()));
    PUNA_TRY(const auto loose, os::ensure_places(places));
    auto lock = os::FileLock::acquire(places.lock());
    if (!lock) return fail(std::move(lock).error().within("another daemon owns " + places.data.string()));
    return run_locked(options, places, loose, report);
  }();
  if (!outcome) report.tell(outcome);
  return outcome;
}

}  // namespace puna::daemon
