#include "hub/transfer/dispatcher.h"

#include <algorithm>

#include "base/log.h"
#include "base/settings_registry.h"
#include "hub/transfer/thrown.h"

namespace puna::hub::transfer {
namespace {

using FloatSeconds = std::chrono::duration<double>;

constexpr Milliseconds kTick{50};
constexpr std::size_t kOpenFiles = 16;
constexpr int kMostScouts = 16;
constexpr double kStretchWaits = 50;     // times the wait for an answer: long enough that asking anew costs little
constexpr double kWorthSplitting = 0.2;  // seconds that a connection still needs, before another takes half of that
constexpr double kSplittingWaits = 6;    // or these times the wait for an answer
constexpr double kFarSlower = 0.1;       // than the others
constexpr double kCrawling = 1024;       // bytes a second: slow whatever the others do
constexpr double kLeastCapped = 256e3;   // bytes a second of a cap that are worth a connection
constexpr std::size_t kComparable = 2;   // connections whose speed tells what is usual
constexpr int kTailHaste = 3;            // times sooner, when nothing else is left to bring

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

}  // namespace

Dispatcher::Dispatcher(Surroundings& surroundings, std::function<void()> ended)
    : shared_(surroundings), ended_(std::move(ended)), called_(surroundings.io) {}

void Dispatcher::add(const std::shared_ptr<Subscriber>& subscriber) {
  for (const auto& download : downloads_) {
    if (download->key() != subscriber->wanted().key || download->closing()) continue;
    download->add(subscriber);
    return call();
  }
  downloads_.push_back(std::make_shared<Download>(shared_, subscriber, ++asked_));
  call();
}

bool Dispatcher::has(std::string_view key) const {
  return std::ranges::any_of(downloads_, [&](const auto& download) { return download->key() == key; });
}

bool Dispatcher::is_wanted(std::string_view key) const {
  return std::ranges::any_of(downloads_, [&](const auto& download) { return download->key() == key && !download->closing(); });
}

void Dispatcher::look_who_wants() {
  for (const auto& download : downloads_) download->look_who_wants();
  call();
}

void Dispatcher::call() {
  called_.notify();
  if (working_) return;
  working_ = true;
  measured_at_ = std::chrono::steady_clock::now();
  try {
    auto task = net::spawn(shared_.io, "dispatcher", work());
    task.detach();
  } catch (...) {
    working_ = false;
    throw;
  }
}

net::Task<void> Dispatcher::work() {
  try {
    while (true) {
      const auto seen = called_.epoch();
      look();
      if (downloads_.empty()) break;
      if (auto waited = co_await called_.wait(seen, kTick); !waited && waited.error().code == Code::cancelled) break;
      // A call that came meanwhile must not keep others from their turn.
      co_await net::asio::post(shared_.io.context(), net::asio::deferred);
    }
  } catch (...) {
    fail_all(thrown_error());  // each of them calls when it has ended
  }
  working_ = false;
}

void Dispatcher::look() {
  const auto now = std::chrono::steady_clock::now();
  if (now - measured_at_ >= kTick) measure(now);
  if (std::erase_if(downloads_, [](const auto& download) { return download->ended(); }) > 0) ended_();
  if (downloads_.empty()) return;
  begin_downloads();
  dispatch(now);
}

void Dispatcher::fail_all(const Error& error) {
  for (const auto& download : downloads_) download->fail_with(error);
  if (std::erase_if(downloads_, [](const auto& download) { return download->ended(); }) > 0) ended_();
}

void Dispatcher::begin_downloads() {
  std::ranges::sort(downloads_, {}, [](const auto& download) { return std::pair(-download->priority(), download->order()); });
  std::size_t open = 0;
  for (const auto& download : downloads_) open += download->started() ? 1 : 0;
  for (std::size_t i = 0; i < downloads_.size() && open < kOpenFiles; ++i) {
    auto& download = *downloads_[i];
    if (download.started() || download.ended()) continue;
    // One that is just ending still has the partial file.
    const bool taken = std::ranges::any_of(downloads_, [&](const auto& other) {
      return other.get() != &download && other->key() == download.key() && other->started() && !other->ended();
    });
    if (taken) continue;
    download.start();
    ++open;
  }
}

int Dispatcher::connections_to(const std::string& host) const {
  int out = 0;
  for (const auto& download : downloads_)
    out += static_cast<int>(
        std::ranges::count(download->carriers(), host, [](const auto& carrier) -> const std::string& { return carrier->host(); }));
  return out;
}

int Dispatcher::connections() const {
  int out = 0;
  for (const auto& download : downloads_) out += static_cast<int>(download->carriers().size());
  return out;
}

int Dispatcher::most_connections() {
  const auto allowance = shared_.bandwidth.allowance();
  if (allowance.paused) return 0;
  const auto most = static_cast<int>(shared_.settings.snapshot()->get(setting::kTransferConnections));
  if (!allowance.per_second) return most;
  return std::clamp(static_cast<int>(static_cast<double>(allowance.per_second->count) / kLeastCapped), 1, most);
}

Dispatcher::Host& Dispatcher::host_of(const std::string& name, MonotonicTime now) {
  const auto most = static_cast<int>(shared_.settings.snapshot()->get(setting::kTransferConnections));
  auto& host = hosts_.try_emplace(name, Host{.pilot = Pilot(most, now)}).first->second;
  host.pilot.set_most(most);
  return host;
}

std::uint64_t Dispatcher::longest_stretch(const Download& download, const Host& host) const {
  const auto by_speed = static_cast<std::uint64_t>(host.typical * host.wait * kStretchWaits);
  const auto share = download.unclaimed() / (2 * static_cast<std::uint64_t>(host.pilot.target()));
  return std::min(by_speed, share);
}

void Dispatcher::dispatch(MonotonicTime now) {
  const int most = most_connections();
  int all = connections();
  for (const auto& download : downloads_) {
    while (all < most && download->ready(now) && !download->hashing_is_behind()) {
      const auto name = download->host();
      auto& host = host_of(name, now);
      // Who still has to find out where a file is asks for little.
      if (connections_to(name) >= (name.empty() ? kMostScouts : host.pilot.target())) break;
      if (shared_.gate.closed_for(name, now) > Milliseconds(0)) break;
      if (!download->begin_carrier(longest_stretch(*download, host), std::max(kWorthSplitting, host.wait * kSplittingWaits))) break;
      ++all;
    }
  }
}

void Dispatcher::measure(MonotonicTime now) {
  const double seconds = FloatSeconds(now - measured_at_).count();
  measured_at_ = now;
  std::map<std::string, std::vector<std::shared_ptr<Carrier>>> by_host;
  for (const auto& download : downloads_)
    for (const auto& carrier : download->carriers()) by_host[carrier->host()].push_back(carrier);
  for (const auto& [name, carriers] : by_host) measure_host(name, host_of(name, now), carriers, seconds, now);
  for (const auto& download : downloads_) download->show(now);
}

void Dispatcher::measure_host(const std::string& name, Host& host, const std::vector<std::shared_ptr<Carrier>>& carriers, double seconds,
                              MonotonicTime now) {
  std::vector<double> speeds;
  std::uint64_t came = std::exchange(host.came, 0);
  std::size_t flowing = 0;
  for (const auto& carrier : carriers) {
    const auto bytes = take_figures(host, *carrier);
    came += bytes;
    if (!carrier->flowing()) continue;
    ++flowing;
    const double sample = static_cast<double>(bytes) / seconds;
    carrier->speed = carrier->speed == 0 ? sample : carrier->speed * 0.9 + sample * 0.1;
    speeds.push_back(carrier->speed);
  }
  if (speeds.size() >= kComparable) host.typical = host.typical * 0.9 + median(speeds) * 0.1;
  if (speeds.size() == 1 && host.typical == 0) host.typical = speeds.front();

  bool held_back = shared_.bandwidth.allowance().per_second.has_value();
  bool tail = true;
  for (const auto& download : downloads_) {
    if (download->carriers().empty()) continue;
    held_back = held_back || download->hashing_is_behind();
    tail = tail && download->unclaimed() == 0;
  }
  const auto target = static_cast<std::size_t>(host.pilot.target());
  const bool saturated = carriers.size() >= target && flowing * 10 >= target * 8 && !held_back && !name.empty();
  host.pilot.count(came, saturated, Milliseconds(static_cast<std::int64_t>(host.wait * 1000)), now);
  if (held_back) return;
  for (const auto& carrier : carriers) redial_slow(host, *carrier, tail, now);
}

std::uint64_t Dispatcher::take_figures(Host& host, Carrier& carrier) {
  if (const auto wait = carrier.take_wait()) {
    const double sample = FloatSeconds(*wait).count();
    host.wait = host.wait == 0 ? sample : host.wait * 0.8 + sample * 0.2;
  }
  return carrier.take_count();
}

void Dispatcher::carrier_ended(Carrier& carrier) {
  const auto now = std::chrono::steady_clock::now();
  auto& host = host_of(carrier.host(), now);
  const double seconds = FloatSeconds(now - carrier.begun()).count();
  const auto bytes = take_figures(host, carrier);
  host.came += bytes;
  // One that came and went between two looks was never measured.
  if (carrier.speed == 0 && bytes > 0 && seconds > 0 && !carrier.stopped())
    host.typical = host.typical * 0.9 + 0.1 * static_cast<double>(bytes) / seconds;
}

// A connection can be bad while the line and the host are fine: another one to the same host is quicker.
void Dispatcher::redial_slow(Host& host, Carrier& carrier, bool tail, MonotonicTime now) {
  if (!carrier.flowing() || carrier.stopped()) return;
  const bool slow = carrier.speed < kCrawling || carrier.speed < host.typical * kFarSlower;
  if (!slow) {
    carrier.slow_since.reset();
    return;
  }
  if (!carrier.slow_since) carrier.slow_since = now;
  const auto limit = shared_.settings.snapshot()->get(setting::kTransferSlow) / (tail ? kTailHaste : 1);
  if (now - *carrier.slow_since < limit) return;
  log::info("hub", "a connection is far slower than the others and is dialled again",
            {{"host", carrier.host()}, {"bytes_per_second", carrier.speed}, {"usual", host.typical}});
  carrier.stop();
}

void Dispatcher::host_refused(const std::string& name) {
  const auto now = std::chrono::steady_clock::now();
  host_of(name, now).pilot.refused(now);
}

}  // namespace puna::hub::transfer
