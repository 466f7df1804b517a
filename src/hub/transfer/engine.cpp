// Threads of the engine, and the way from a fetch() to its files.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <future>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>

#include "base/log.h"
#include "base/settings_registry.h"
#include "hub/transfer/dispatcher.h"
#include "hub/transfer/thrown.h"
#include "os/disk.h"

namespace puna::hub::transfer {
namespace {

constexpr Milliseconds kProgressInterval{200};
constexpr Milliseconds kLongestEnd{5000};
constexpr Milliseconds kBetweenPrunings = std::chrono::hours(1);
constexpr int kLocators = 4;
constexpr Bytes kReadAhead = kib(256);
constexpr Bytes kReceiveBuffer = kib(128);

int disk_threads() {
  return static_cast<int>(std::clamp(std::thread::hardware_concurrency() + 2, 4U, 16U));
}

net::ClientOptions for_transfers(net::ClientOptions options) {
  options.read_ahead = kReadAhead;
  options.receive_buffer = kReceiveBuffer;
  return options;
}

bool same_file_system(const std::filesystem::path& a, std::filesystem::path b) {
  struct stat first{};
  struct stat second{};
  while (::stat(b.c_str(), &second) != 0 && b.has_parent_path() && b != b.parent_path()) b = b.parent_path();
  return ::stat(a.c_str(), &first) == 0 && first.st_dev == second.st_dev;
}

Result<> check(const Wanted& wanted) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  if (wanted.key.empty() || wanted.key.size() > 200 || !std::ranges::all_of(wanted.key, allowed))
    return fail(Code::internal, fmt::format("'{}' is no key of a transfer", wanted.key));
  if (!wanted.locate) return fail(Code::internal, fmt::format("{}: nobody says where it is", wanted.shown));
  return {};
}

// Of all files together: the phase is what most of the time is spent on.
Progress summary_of(const std::vector<std::shared_ptr<Subscriber>>& subscribers) {
  static constexpr std::array<std::string_view, 5> kPhases = {"preparing", "verifying", "repairing", "waiting", "downloading"};
  Progress out{.phase = kPhases.front(), .done = {}, .total = Bytes(0), .connections = 0, .note = {}, .files = {}};
  for (const auto& subscriber : subscribers) {
    auto glimpse = subscriber->glimpse();
    if (const auto outcome = subscriber->outcome(); outcome && *outcome) {
      glimpse.file.state = FileState::complete;
      glimpse.file.done = (*outcome)->size;
      glimpse.file.total = (*outcome)->size;
    } else if (std::ranges::find(kPhases, glimpse.phase) > std::ranges::find(kPhases, out.phase)) {
      out.phase = glimpse.phase;
    }
    out.done += glimpse.file.done;
    out.total = out.total && glimpse.file.total ? std::optional(*out.total + *glimpse.file.total) : std::nullopt;
    out.connections += glimpse.connections;
    if (out.note.empty()) out.note = std::move(glimpse.note);
    out.files.push_back(std::move(glimpse.file));
  }
  return out;
}

// Wakes the thread that waits in fetch().
struct Bell {
  std::mutex mutex;
  std::condition_variable_any rung;
  bool ringing = false;

  void ring() {
    const std::lock_guard lock(mutex);
    ringing = true;
    rung.notify_all();
  }
  void wait(const std::stop_token& stop, Milliseconds limit) {
    std::unique_lock lock(mutex);
    rung.wait_for(lock, stop, limit, [&] { return ringing; });
    ringing = false;
  }
};

}  // namespace

class Engine::Core {
 public:
  explicit Core(Parts parts)
      : settings_(parts.settings),
        folder_(std::move(parts.downloads)),
        http_(std::make_unique<net::HttpClient>(io_, for_transfers(std::move(parts.http)))),
        bandwidth_(settings_),
        shared_{.io = io_,
                .http = *http_,
                .locators = locators_,
                .settings = settings_,
                .bandwidth = bandwidth_,
                .gate = gate_,
                .downloads = folder_,
                .call_dispatcher = [this] { dispatcher_.call(); },
                .was_refused = [this](const std::string& host) { dispatcher_.host_refused(host); },
                .carrier_ended = [this](Carrier& carrier) { dispatcher_.carrier_ended(carrier); }},
        dispatcher_(shared_, [this] { note_end(); }),
        thread_([this] { run(); }) {}

  ~Core() {
    if (!wait_until([this] { return dispatcher_.idle(); })) log::warning("hub", "a transfer does not end with its engine");
    on_network<int>([this] { return http_.reset(), 0; });
    io_.stop();
    thread_.join();
    locators_.join();
  }

  Result<std::vector<Arrived>> fetch(const std::vector<Wanted>& files, const Ask& ask);
  Result<> forget(std::string_view key);
  std::vector<Partial> partials();
  Bytes prune();
  Bytes received() const { return bandwidth_.received(); }
  void configure(net::ClientOptions options) {
    net::asio::post(io_.context(), [this, options = for_transfers(std::move(options))]() mutable { http_->configure(std::move(options)); });
  }

 private:
  template <class T>
  T on_network(std::function<T()> function) {
    std::promise<T> promise;
    auto future = promise.get_future();
    net::asio::post(io_.context(), [&] {
      try {
        promise.set_value(function());
      } catch (...) {
        promise.set_exception(std::current_exception());
      }
    });
    return future.get();
  }
  void run();
  void begin(const std::shared_ptr<Subscriber>& subscriber);
  // What one fetch() wants.
  struct Enlisted {
    std::vector<std::shared_ptr<Subscriber>> subscribers;
    std::vector<std::multimap<std::string, Bytes>::iterator> needs;
  };
  void withdraw(const Enlisted& enlisted);
  static Result<> follow(const std::vector<std::shared_ptr<Subscriber>>& subscribers, const Ask& ask, Bell& bell);
  void note_end();
  bool wait_until(const std::function<bool()>& condition);
  void prune_now_and_then();
  Result<> make_folder() const;
  Result<> require_room(const std::vector<Wanted>& files, const Ask& ask);
  Bytes still_needed(const std::string& key, Bytes size) const;

  const SettingsStore& settings_;
  const std::filesystem::path folder_;
  net::Io io_{disk_threads()};
  net::asio::thread_pool locators_{kLocators};
  std::unique_ptr<net::HttpClient> http_;
  Bandwidth bandwidth_;
  RateGate gate_;
  Surroundings shared_;
  Dispatcher dispatcher_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable ended_;
  std::uint64_t ends_ = 0;                   // downloads that have ended
  std::multimap<std::string, Bytes> needs_;  // sizes of the files that running fetches want, by key
  std::optional<MonotonicTime> pruned_at_;

  std::thread thread_;
};

// The network thread. What one handler throws must not end the others, or the program.
void Engine::Core::run() {
  while (true) {
    try {
      return io_.run();
    } catch (...) {
      log::error("hub", "a step of a transfer failed", {{"error", thrown_error().text()}});
    }
  }
}

void Engine::Core::begin(const std::shared_ptr<Subscriber>& subscriber) {
  try {
    dispatcher_.add(subscriber);
  } catch (...) {
    subscriber->finish(fail(thrown_error().within(subscriber->wanted().shown)));
  }
}

void Engine::Core::withdraw(const Enlisted& enlisted) {
  for (const auto& subscriber : enlisted.subscribers) subscriber->withdraw();
  net::asio::post(io_.context(), [this] { dispatcher_.look_who_wants(); });
  const std::lock_guard lock(mutex_);
  for (const auto need : enlisted.needs) needs_.erase(need);
}

void Engine::Core::note_end() {
  const std::lock_guard lock(mutex_);
  ++ends_;
  ended_.notify_all();
}

// Whether it held in time; asked on the network thread, again after each download that ends.
bool Engine::Core::wait_until(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kLongestEnd;
  while (true) {
    std::unique_lock lock(mutex_);
    const auto seen = ends_;
    lock.unlock();
    if (on_network<bool>(condition)) return true;
    lock.lock();
    if (!ended_.wait_until(lock, deadline, [&] { return ends_ != seen; })) return false;
  }
}

Result<> Engine::Core::make_folder() const {
  std::error_code error;
  const bool made = std::filesystem::create_directories(folder_, error);
  if (error) return fail(errno_error(error.value(), fmt::format("cannot create {}", folder_.string())));
  if (made) std::filesystem::permissions(folder_, std::filesystem::perms::owner_all, error);
  if (error) return fail(errno_error(error.value(), fmt::format("cannot set the mode of {}", folder_.string())));
  return {};
}

Bytes Engine::Core::still_needed(const std::string& key, Bytes size) const {
  return size - allocated_of_partial(folder_, key);
}

// What this and every other running fetch still has to write must fit.
Result<> Engine::Core::require_room(const std::vector<Wanted>& files, const Ask& ask) {
  Bytes mine;
  Bytes whole;
  std::set<std::string> keys;
  for (const auto& wanted : files) {
    if (!wanted.size || !keys.insert(wanted.key).second) continue;
    mine += still_needed(wanted.key, *wanted.size);
    whole += *wanted.size;
  }
  Bytes others;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, size] : needs_)
      if (keys.insert(key).second) others += still_needed(key, size);
  }
  PUNA_TRY(const auto space, os::disk_space(folder_));
  if (space.available < mine + others)
    return fail(Code::disk_full,
                fmt::format("the disk of {} has {} free, and {} are needed{}: {} are missing; make room or choose another folder",
                            folder_.string(), format_bytes(space.available), format_bytes(mine),
                            others > Bytes(0) ? fmt::format(" besides {} for transfers that are running", format_bytes(others)) : "",
                            format_bytes(mine + others - space.available)));
  if (ask.target && !same_file_system(folder_, *ask.target)) PUNA_CHECK(os::require_disk_space(*ask.target, whole));
  return {};
}

Result<std::vector<Arrived>> Engine::Core::fetch(const std::vector<Wanted>& files, const Ask& ask) {
  for (const auto& wanted : files) PUNA_CHECK(check(wanted));
  PUNA_TRY(const auto schedule, Schedule::parse(settings_.snapshot()->get(setting::kTransferSchedule)));
  PUNA_CHECK(make_folder());
  prune_now_and_then();
  PUNA_CHECK(require_room(files, ask));

  const auto bell = std::make_shared<Bell>();
  Enlisted enlisted;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& wanted : files) {
      if (wanted.size) enlisted.needs.push_back(needs_.emplace(wanted.key, *wanted.size));
      enlisted.subscribers.push_back(std::make_shared<Subscriber>(wanted, ask.priority, [bell] { bell->ring(); }));
    }
  }
  net::asio::post(io_.context(), [this, subscribers = enlisted.subscribers] {
    for (const auto& subscriber : subscribers) begin(subscriber);
  });
  Result<> outcome;
  try {
    outcome = follow(enlisted.subscribers, ask, *bell);
  } catch (...) {
    outcome = fail(thrown_error());
  }
  withdraw(enlisted);
  if (!outcome) return fail(std::move(outcome).error());
  std::vector<Arrived> out;
  for (const auto& subscriber : enlisted.subscribers) out.push_back(std::move(**subscriber->outcome()));
  return out;
}

// Until all have arrived, one has failed, or somebody asks for the end.
Result<> Engine::Core::follow(const std::vector<std::shared_ptr<Subscriber>>& subscribers, const Ask& ask, Bell& bell) {
  Bytes most;
  while (true) {
    std::optional<Error> failure;
    std::size_t ended = 0;
    for (const auto& subscriber : subscribers) {
      const auto outcome = subscriber->outcome();
      if (!outcome) continue;
      ++ended;
      if (!*outcome && !failure) failure = outcome->error();
    }
    if (ask.stop.stop_requested()) return fail(Code::cancelled, "the transfer was cancelled");
    if (failure) return fail(std::move(*failure));
    if (ask.progress) {
      auto progress = summary_of(subscribers);
      progress.done = most = std::max(most, progress.done);
      ask.progress(progress);
    }
    if (ended == subscribers.size()) return {};
    bell.wait(ask.stop, kProgressInterval);
  }
}

Result<> Engine::Core::forget(std::string_view key) {
  // One whose fetch was just cancelled ends by itself.
  bool free = false;
  const bool settled = wait_until([&] {
    free = !dispatcher_.has(key);
    return free || dispatcher_.is_wanted(key);
  });
  if (settled && free) return remove_partial(folder_, key);
  return fail(Code::conflict, fmt::format("the file with the key {} is being fetched: cancel that first", key));
}

std::vector<Partial> Engine::Core::partials() {
  auto out = list_partials(folder_);
  on_network<int>([&] {
    for (auto& partial : out) partial.in_use = dispatcher_.has(partial.key);
    return 0;
  });
  return out;
}

Bytes Engine::Core::prune() {
  const auto age = settings_.snapshot()->get(setting::kKeepPartials);
  Bytes freed;
  if (age == kForever) return freed;
  const auto now = std::chrono::system_clock::now();
  for (const auto& partial : partials()) {
    if (partial.in_use || now - partial.last_used < age) continue;
    if (auto removed = forget(partial.key); !removed) {
      log::warning("hub", "an old partial file stays", {{"file", partial.file.string()}, {"error", removed.error().text()}});
      continue;
    }
    log::info("hub", "what came of an abandoned transfer is removed", {{"file", partial.file.string()}, {"bytes", partial.on_disk.count}});
    freed += partial.on_disk;
  }
  return freed;
}

void Engine::Core::prune_now_and_then() {
  const auto now = std::chrono::steady_clock::now();
  {
    const std::lock_guard lock(mutex_);
    if (pruned_at_ && now - *pruned_at_ < kBetweenPrunings) return;
    pruned_at_ = now;
  }
  prune();
}

Engine::Engine(Parts parts) : core_(std::make_unique<Core>(std::move(parts))) {}
Engine::~Engine() = default;

Result<std::vector<Arrived>> Engine::fetch(const std::vector<Wanted>& files, const Ask& ask) {
  return core_->fetch(files, ask);
}
Result<> Engine::forget(std::string_view key) {
  return core_->forget(key);
}
std::vector<Partial> Engine::partials() const {
  return core_->partials();
}
Bytes Engine::received() const {
  return core_->received();
}

Bytes Engine::prune() {
  return core_->prune();
}
void Engine::configure(net::ClientOptions http) {
  core_->configure(std::move(http));
}

}  // namespace puna::hub::transfer
