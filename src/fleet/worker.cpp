#include "fleet/worker.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "base/log.h"
#include "fleet/diagnosis.h"
#include "fleet/engine.h"
#include "fleet/lifecycle.h"
#include "fleet/readiness.h"
#include "fleet/schedule/admission.h"
#include "fleet/schedule/memory.h"
#include "fleet/warm_folder.h"
#include "net/ndjson.h"
#include "os/usage.h"

namespace puna::fleet {
namespace {

namespace asio = net::asio;
using wire::WorkerFault;
using wire::WorkerState;

constexpr int kStatusDescriptor = 3;
// A status line is short; more without a line break is not our protocol.
constexpr Bytes kLongestStatus = kib(64);
constexpr Milliseconds kPipesAfterExit{1'000};
// Ready and busy alternate with each request: they are told when they have lasted.
constexpr Milliseconds kSettle{200};
// Until a server that is not ours is ready, when its profile does not say.
constexpr Milliseconds kCommandPatience{600'000};
constexpr Milliseconds kRemotePatience{10'000};
// How many requests at a time a server gets that queues by itself.
constexpr std::int64_t kForeignSlots = 64;
// What a process of ours reserves for the stacks of its threads (worker/child.cpp): address space, not memory.
constexpr Bytes kStacks = mib(320);

}  // namespace

Worker::Worker(net::Io& io, EventBus& events, WorkerSpec spec, std::function<void()> changed)
    : io_(io),
      events_(events),
      spec_(std::move(spec)),
      changed_(std::move(changed)),
      keep_alive_(spec_.options.keep_alive),
      socket_(spec_.places.sockets / fmt::format("{}.sock", spec_.id)),
      moved_(io),
      log_(worker_log_file(spec_.places.logs, spec_.launch.name),
           {.file_size = spec_.options.log_file_size, .files = static_cast<std::size_t>(spec_.options.log_files)}),
      idle_(io.context().get_executor(), [this] { stop("keep-alive ended", Milliseconds(0)); }),
      stall_(io.context().get_executor(),
             [this] {
               give_up(WorkerFault::stalled,
                       fmt::format("loading stood at {:.0f} % for {}", progress_ * 100, format_duration(spec_.options.load_stall)));
             }),
      drain_(io.context().get_executor(), [this] { terminate(); }),
      grace_(io.context().get_executor(), [this] { kill(); }),
      pipes_(io.context().get_executor(),
             [this] {
               child_->status.cancel();
               child_->output.cancel();
             }),
      settle_(io.context().get_executor(), [this] {
        settling_ = false;
        if (told_ != state_) tell(state_ == WorkerState::busy ? "requests" : "no requests");
      }) {}

net::Task<void> Worker::run() {
  using namespace asio::experimental::awaitable_operators;
  co_await asio::this_coro::throw_if_cancelled(false);
  if (spec_.launch.kind == wire::EngineKind::remote) co_return co_await run_remote();
  const auto admitted = co_await net::on_pool(io_, [this] { return require_files(spec_.launch.loaded()); });
  if (net::is_cancelled(co_await asio::this_coro::cancellation_state)) co_return;
  if (state_ == WorkerState::starting) {
    if (!admitted) {
      const bool missing = admitted.error().code == Code::not_found;
      fail_with(diagnose({.reported = wire::WorkerFailure{
                              missing ? WorkerFault::model_missing : WorkerFault::out_of_memory, admitted.error().text(), {}}}));
    } else if (const auto started = start_process(); !started) {
      fail_with(diagnose({.reported = wire::WorkerFailure{WorkerFault::spawn_failed, started.error().text(), {}}}));
    }
  }
  if (!child_) {
    if (state_ == WorkerState::stopping) transition(WorkerState::stopped, "before it was started");
    co_return;
  }
  co_await (wait_for_exit() && read_status() && read_log() && watch_readiness());
  if (!net::is_cancelled(co_await asio::this_coro::cancellation_state)) conclude();
}

net::Task<void> Worker::run_remote() {
  auto endpoint = co_await net::on_pool(io_, [this] { return remote_endpoint(spec_.launch); });
  if (net::is_cancelled(co_await asio::this_coro::cancellation_state)) co_return;
  if (!endpoint) {
    const bool key = endpoint.error().code == Code::unauthenticated || endpoint.error().code == Code::not_found;
    fail_with(diagnose(
        {.reported = wire::WorkerFailure{key ? WorkerFault::key_refused : WorkerFault::spawn_failed, endpoint.error().text(), {}}}));
    co_return;
  }
  endpoint_ = std::move(*endpoint);
  if (state_ == WorkerState::starting) transition(WorkerState::loading, "asking the server");
  // ignored: what came of it is the state
  (void)co_await watch_readiness();
  while (!is_ended(state_)) {
    const auto seen = moved_.epoch();
    if (state_ == WorkerState::stopping) transition(WorkerState::stopped, "nothing runs here");
    if (!is_ended(state_) && !co_await moved_.wait(seen, kForever)) co_return;  // cancelled
  }
}

// Our own worker tells how it is; other servers have to be asked.
net::Task<Result<>> Worker::watch_readiness() {
  co_await asio::this_coro::throw_if_cancelled(false);
  if (spec_.launch.kind == wire::EngineKind::builtin) co_return Result<>();
  const bool remote = spec_.launch.kind == wire::EngineKind::remote;
  const auto deadline = spec_.launch.start_deadline.value_or(remote ? kRemotePatience : kCommandPatience);
  const auto wanted = [this] { return !exited_ && (state_ == WorkerState::starting || state_ == WorkerState::loading); };
  const auto serving = co_await wait_until_serving(
      *spec_.http, endpoint_, {.health = spec_.launch.health, .deadline = deadline, .wanted = wanted, .changed = moved_});
  if (serving) {
    take_ready({.report = wire::WorkerReport::ready,
                .context_length = spec_.launch.engine.context,
                .slots = spec_.launch.engine.slots.value_or(kForeignSlots)});
  } else if (serving.error().code != Code::cancelled) {
    const bool refused = serving.error().code == Code::unauthenticated;
    give_up(refused ? WorkerFault::key_refused : WorkerFault::not_ready, serving.error().message);
  }
  co_return Result<>();
}

// Without the descriptors.
Result<os::SpawnOptions> Worker::spawn_options() {
  os::SpawnOptions out{.environment = worker_environment(spec_.launch.environment),
                       .new_session = true};  // the terminal's Ctrl-C is the daemon's to judge
  if (spec_.launch.kind == wire::EngineKind::command) {
    PUNA_TRY(auto command, foreign_command(spec_.launch, spec_.options, socket_));
    out.argv = std::move(command.argv);
    endpoint_ = std::move(command.endpoint);
    out.data_limit = spec_.launch.memory_limit;
    return out;
  }
  std::filesystem::path warm;
  if (!spec_.places.warm.empty() && spec_.options.warm_disk > Bytes(0)) {
    PUNA_TRY(warm, warm_folder(spec_.places.warm, spec_.launch.file));
  }
  out.argv = worker_command({.launch = spec_.launch,
                             .purpose = spec_.purpose,
                             .options = spec_.options,
                             .program = spec_.places.program,
                             .socket = socket_,
                             .status_fd = kStatusDescriptor,
                             .warm = warm});
  if (spec_.launch.memory_limit) out.data_limit = *spec_.launch.memory_limit + kStacks;
  endpoint_ = Endpoint{.socket = socket_, .speaks_llama_cpp = true};
  return out;
}

Result<> Worker::start_process() {
  for (const auto& file : spec_.launch.loaded())
    if (!file.is_absolute()) return fail(Code::invalid_argument, fmt::format("{} is no absolute path", file.string()));
  PUNA_TRY(auto options, spawn_options());
  PUNA_TRY(auto lifeline, os::make_pipe());
  PUNA_TRY(auto status, os::make_pipe());
  PUNA_TRY(auto output, os::make_pipe());
  oom_kills_before_ = count_oom_kills();
  options.stdout_fd = options.stderr_fd = output.write.get();
  const bool ours = spec_.launch.kind == wire::EngineKind::builtin;
  if (ours) {
    options.stdin_fd = lifeline.read.get();
    options.pass_fds = {{status.write.get(), kStatusDescriptor}};
  }
  PUNA_TRY(auto process, os::Process::spawn(options));
  os::UniqueFd exit_watch(::fcntl(process.pidfd(), F_DUPFD_CLOEXEC, 0));
  if (!exit_watch) return fail(errno_error(errno, "cannot watch the worker"));
  auto& context = io_.context();
  child_ = std::make_unique<Child>(Child{std::move(process), std::move(lifeline.write), Descriptor(context, status.read.release()),
                                         Descriptor(context, output.read.release()), Descriptor(context, exit_watch.release())});
  if (ours)
    stall_.set_after(spec_.options.load_stall);
  else
    transition(WorkerState::loading, "process started");
  return {};
}

net::Task<Result<>> Worker::wait_for_exit() {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto [error] = co_await child_->exit.async_wait(Descriptor::wait_read, asio::as_tuple(asio::deferred));
  if (error) co_return fail(net::cancelled_error());
  exited_ = true;
  moved_.notify();
  pipes_.set_after(kPipesAfterExit);
  co_return Result<>();
}

net::Task<Result<>> Worker::read_status() {
  co_await asio::this_coro::throw_if_cancelled(false);
  net::NdjsonParser parser(kLongestStatus);
  std::array<char, 4096> buffer{};
  while (true) {
    const auto [error, size] = co_await child_->status.async_read_some(asio::buffer(buffer), asio::as_tuple(asio::deferred));
    if (error) co_return Result<>();
    const auto fed = parser.feed({buffer.data(), size}, [this](const json::value& line) {
      const auto status = json::decode<wire::WorkerStatus>(line, json::Unknown::ignore);
      if (status)
        take_status(*status);
      else
        log::warning("fleet", "a worker said what nobody understands", {{"model", model()}, {"error", status.error().text()}});
    });
    if (!fed) {
      give_up(WorkerFault::crashed, fmt::format("its status makes no sense ({})", fed.error().text()));
      co_return fed;
    }
  }
}

net::Task<Result<>> Worker::read_log() {
  co_await asio::this_coro::throw_if_cancelled(false);
  std::array<char, 8192> buffer{};
  while (true) {
    const auto [error, size] = co_await child_->output.async_read_some(asio::buffer(buffer), asio::as_tuple(asio::deferred));
    if (error) break;
    log_output(log_.add({buffer.data(), size}));
  }
  log_output(log_.finish());
  co_return Result<>();
}

void Worker::log_output(Result<> written) {
  if (written || std::exchange(log_complained_, true)) return;
  log::warning("fleet", "a worker's log cannot be written", {{"model", model()}, {"error", written.error().text()}});
}

void Worker::take_status(const wire::WorkerStatus& status) {
  switch (status.report) {
    case wire::WorkerReport::loading:
      return take_loading(status.progress.value_or(0));
    case wire::WorkerReport::ready:
      return take_ready(status);
    case wire::WorkerReport::failure:
      reported_ = wire::WorkerFailure{status.fault.value_or(WorkerFault::crashed), status.message.value_or("it did not say why"), {}};
      stall_.clear();
      grace_.set_after(spec_.options.stop_grace);  // it ends by itself, normally
      return;
  }
}

void Worker::take_loading(double progress) {
  if (state_ == WorkerState::starting) transition(WorkerState::loading, "process started");
  if (state_ != WorkerState::loading || progress <= progress_) return;
  progress_ = std::min(progress, 1.0);
  stall_.set_after(spec_.options.load_stall);
  events_.publish_as("worker.progress", view());
}

void Worker::take_ready(const wire::WorkerStatus& status) {
  if (state_ == WorkerState::starting) transition(WorkerState::loading, "process started");
  if (state_ != WorkerState::loading) return;
  stall_.clear();
  progress_ = 1;
  was_ready_ = true;
  load_.ended = std::chrono::steady_clock::now();
  context_length_ = status.context_length.value_or(0);
  slots_ = status.slots.value_or(0);
  memory_ = status.memory;
  transition(WorkerState::ready, "model loaded");
}

void Worker::verify_memory() {
  if (!memory_before_) return;
  returned_ = check_memory_return(child_->process.pid(), *memory_before_);
  const auto level = returned_->gone ? log::Level::info : log::Level::error;
  log::write(level, "fleet",
             returned_->gone ? "a worker's memory came back" : "a worker's memory does not come back: its process is still there",
             {{"model", model()},
              {"pid", child_->process.pid()},
              {"bytes", returned_->returned.count},
              {"available_before", returned_->available_before.count},
              {"available_after", returned_->available_after.count}});
}

void Worker::conclude() {
  // What a foreign program has started, too; as long as it is not reaped, its number is no other process's.
  if (spec_.launch.kind == wire::EngineKind::command) ::kill(-child_->process.pid(), SIGKILL);
  const auto exit = child_->process.try_wait();
  std::error_code gone_already;
  std::filesystem::remove(socket_, gone_already);
  log::info("fleet", "worker process ended",
            {{"model", model()}, {"pid", child_->process.pid()}, {"status", exit ? exit->text() : std::string("unknown")}});
  verify_memory();
  if (state_ == WorkerState::stopping) return transition(WorkerState::stopped, exit && exit->ok() ? "process ended" : "process killed");
  if (state_ == WorkerState::failed) return;
  fail_with(diagnose({.reported = reported_,
                      .exit = exit,
                      .was_ready = was_ready_,
                      .memory_limit = spec_.launch.memory_limit,
                      .oom_kill_seen = count_oom_kills() > oom_kills_before_,
                      .log = log_.last_lines()}));
}

void Worker::fail_with(wire::WorkerFailure failure) {
  const std::string cause = failure.message;
  failure_ = std::move(failure);  // before the change is told
  transition(WorkerState::failed, cause);
}

void Worker::give_up(WorkerFault fault, const std::string& what) {
  if (is_ended(state_) || state_ == WorkerState::stopping) return kill();
  fail_with(diagnose({.reported = wire::WorkerFailure{fault, what, {}}, .log = log_.last_lines()}));
  kill();
}

void Worker::begin_request() {
  ++active_;
  if (state_ == WorkerState::ready) transition(WorkerState::busy, "request");
  rest();
}

void Worker::end_request() {
  --active_;
  if (active_ > 0) return;
  if (is_loaded(state_)) answered_ = true;
  if (state_ == WorkerState::busy) transition(WorkerState::ready, "no requests");
  if (is_leaving(state_)) terminate();
  rest();
}

void Worker::keep_for(Milliseconds keep_alive) {
  keep_alive_ = keep_alive;
  rest();
}

// The keep-alive runs while nobody wants the model.
void Worker::rest() {
  expires_.reset();
  if (state_ != WorkerState::ready || active_ > 0 || keep_alive_ == kForever) return idle_.clear();
  idle_.set_after(keep_alive_);
  expires_ = std::chrono::system_clock::now() + keep_alive_;
}

void Worker::stop(std::string_view cause, Milliseconds drain) {
  if (is_ended(state_) || is_leaving(state_)) return;
  stall_.clear();
  const bool drains = active_ > 0 && drain > Milliseconds(0) && is_loaded(state_);
  transition(drains ? WorkerState::draining : WorkerState::stopping, cause);
  if (!drains) return terminate();
  drain_.set_after(drain);
}

void Worker::terminate() {
  drain_.clear();
  if (state_ == WorkerState::draining) transition(WorkerState::stopping, active_ == 0 ? "no requests" : "requests had their time");
  if (!child_) return;  // run() sees the state
  memory_before_ = mark_memory(child_->process.pid());
  if (!child_->process.send_signal(SIGTERM)) return;  // it has ended: run() is about to hear of it
  grace_.set_after(spec_.options.stop_grace);
}

void Worker::kill() {
  if (child_ && child_->process.send_signal(SIGKILL))
    log::warning("fleet", "worker killed", {{"model", model()}, {"pid", child_->process.pid()}});
}

void Worker::transition(WorkerState to, std::string_view cause) {
  if (!may_follow(state_, to))
    return log::error("fleet", "a worker was asked for an impossible change of state", {{"model", model()}, {"from", state_}, {"to", to}});
  const bool flicker = is_loaded(state_) && is_loaded(to);
  state_ = to;
  moved_.notify();
  rest();
  if (!flicker) return tell(cause);
  if (!std::exchange(settling_, true)) settle_.set_after(kSettle);
}

void Worker::tell(std::string_view cause) {
  const auto level = state_ == WorkerState::failed ? log::Level::warning : log::Level::info;
  log::write(level, "fleet", "worker state", {{"model", model()}, {"worker", id()}, {"from", told_}, {"to", state_}, {"cause", cause}});
  told_ = state_;
  events_.publish_as("worker.state", view());
  changed_();
}

wire::RunningModel Worker::view() const {
  wire::RunningModel out;
  out.name = model();
  out.purpose = json::enum_name(spec_.purpose);
  out.state = state_;
  out.load_progress = progress_;
  out.active_requests = active_;
  out.context_length = context_length_;
  out.slots = slots_;
  if (child_ && !is_ended(state_)) {
    out.pid = child_->process.pid();
    if (const auto memory = os::resident_memory(child_->process.pid())) out.memory_bytes = static_cast<std::int64_t>(memory->count);
  }
  if (memory_) {
    Bytes on_devices;
    for (const auto& [device, bytes] : device_pools(*memory_)) on_devices += bytes;
    out.device_bytes = static_cast<std::int64_t>(on_devices.count);
  }
  if (expires_) out.expires_at = format_time(*expires_);
  if (spec_.launch.model != out.name && !spec_.launch.model.empty()) out.model = spec_.launch.model;
  if (spec_.launch.kind != wire::EngineKind::builtin) out.engine = json::enum_name(spec_.launch.kind);
  if (returned_) out.returned_bytes = static_cast<std::int64_t>(returned_->returned.count);
  out.failure = failure_;
  if (spec_.complete) spec_.complete(out);
  return out;
}

std::optional<pid_t> Worker::pid() const {
  return child_ && !is_ended(state_) ? std::optional(child_->process.pid()) : std::nullopt;
}

}  // namespace puna::fleet
