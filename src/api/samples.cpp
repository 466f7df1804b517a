#include "api/samples.h"

#include "net/http_client.h"
#include "os/usage.h"

namespace puna::api {
namespace {

constexpr Milliseconds kPatience{500};  // for a worker that computes a long batch
constexpr Bytes kLargestAnswer = mib(1);

std::int64_t number(const json::object& from, std::string_view name) {
  const auto* found = from.if_contains(name);
  return found && found->is_int64() ? found->get_int64() : 0;
}

// Tokens that the slot's task wrote so far.
std::int64_t written_by(const json::object& slot) {
  const auto* next = slot.if_contains("next_token");
  if (!next || !next->is_array() || next->get_array().empty() || !next->get_array().front().is_object()) return 0;
  return number(next->get_array().front().get_object(), "n_decoded");
}

net::Task<std::optional<json::array>> slots_of(net::HttpClient& http, const std::filesystem::path& socket) {
  auto request = net::HttpRequest::to_socket(socket, "GET", "/slots");
  request.deadlines = {.connect = kPatience, .first_byte = kPatience, .idle = kPatience, .total = kPatience};
  request.max_body = kLargestAnswer;
  const auto answer = co_await http.fetch(std::move(request));
  if (!answer || answer->status != 200) co_return std::nullopt;
  auto parsed = json::parse(answer->body);
  if (!parsed || !parsed->is_array()) co_return std::nullopt;
  co_return std::move(parsed->get_array());
}

}  // namespace

net::Task<std::vector<wire::WorkerSample>> WorkerSampler::look() {
  std::vector<wire::WorkerSample> out;
  std::map<std::int64_t, Before> gone = before_;
  for (const auto& place : workbench_.fleet().places()) {
    gone.erase(place.view.pid.value_or(0));
    out.push_back({.name = place.view.name,
                   .purpose = place.view.purpose,
                   .state = place.view.state,
                   .pid = place.view.pid.value_or(0),
                   .active_requests = place.view.active_requests,
                   .device_bytes = place.view.device_bytes});
    co_await look_at(place, out.back());
  }
  for (const auto& [pid, before] : gone) before_.erase(pid);
  co_return out;
}

net::Task<void> WorkerSampler::look_at(const fleet::WorkerPlace& place, wire::WorkerSample& sample) {
  const auto pid = static_cast<pid_t>(sample.pid);
  const auto used = co_await net::on_pool(workbench_.io(), [pid] { return os::process_usage(pid); });
  if (!used) co_return;  // it has just ended
  const auto found = before_.find(sample.pid);
  const Before* before = found == before_.end() ? nullptr : &found->second;
  Before now{.when = std::chrono::steady_clock::now(), .cpu = used->cpu};
  sample.memory_bytes = static_cast<std::int64_t>(used->resident.count);
  sample.cpu_seconds = static_cast<double>(used->cpu.count()) / 1000;
  if (before) {
    const double elapsed = std::chrono::duration<double, std::milli>(now.when - before->when).count();
    if (elapsed > 0) sample.cpu_percent = 100 * static_cast<double>((now.cpu - before->cpu).count()) / elapsed;
  }
  const bool answers = sample.state == wire::WorkerState::ready || sample.state == wire::WorkerState::busy;
  const auto slots = answers && !place.socket.empty() ? co_await slots_of(workbench_.http(), place.socket) : std::nullopt;
  if (slots)
    take_slots(*slots, sample, now, before);
  else if (before)
    now.slots = before->slots;
  before_.insert_or_assign(sample.pid, std::move(now));
}

void WorkerSampler::take_slots(const json::array& slots, wire::WorkerSample& sample, Before& now, const Before* before) {
  std::int64_t tokens = 0, capacity = 0, written = 0;
  for (const auto& item : slots) {
    if (!item.is_object()) continue;
    const auto& slot = item.get_object();
    tokens += number(slot, "n_prompt_tokens");
    capacity += number(slot, "n_ctx");
    const auto id = number(slot, "id"), task = number(slot, "id_task"), so_far = written_by(slot);
    now.slots[id] = {task, so_far};
    const auto known = before ? before->slots.find(id) : now.slots.end();
    const bool same_task = before && known != before->slots.end() && known->second.first == task;
    written += same_task ? std::max<std::int64_t>(0, so_far - known->second.second) : so_far;
  }
  sample.kv_tokens = tokens;
  sample.kv_capacity = capacity;
  if (!before) return;
  const double elapsed = std::chrono::duration<double>(now.when - before->when).count();
  if (elapsed > 0) sample.tokens_per_second = static_cast<double>(written) / elapsed;
}

}  // namespace puna::api
