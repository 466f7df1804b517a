#include "worker/warmth/warmth.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "os/hardware.h"
#include "worker/engine_log.h"

namespace puna::worker {
namespace {

constexpr Milliseconds kQuiet{1'000};
constexpr Milliseconds kLongestWait{30'000};  // of what is worth saving, while the worker never rests
constexpr Milliseconds kSlotDeadline{10'000};
constexpr std::chrono::seconds kReserved{5};
constexpr std::size_t kGrowth = 8;  // a state is saved again when it has grown by one of so many parts

}  // namespace

Warmth::Warmth(server_context& context, std::unique_ptr<SavedStates> states, WarmthOptions options)
    : slots_(context),
      states_(std::move(states)),
      options_(std::move(options)),
      keeper_([this](const std::stop_token& stop) { keep(stop); }) {}

Warmth::~Warmth() = default;

void Warmth::begin_request() {
  const std::lock_guard lock(mutex_);
  ++in_flight_;
}

void Warmth::end_request() {
  const std::lock_guard lock(mutex_);
  --in_flight_;
  quiet_since_ = Clock::now();
  if (!std::exchange(dirty_, true)) dirty_since_ = quiet_since_;
  changed_.notify_all();
}

std::string Warmth::text_of(const AdapterScales& adapters) const {
  std::vector<std::string> parts;  // sorted: another worker may have loaded them in another order
  for (const auto& [place, scale] : adapters)
    if (scale != 0 && place >= 0 && static_cast<std::size_t>(place) < options_.adapters.size())
      parts.push_back(fmt::format("{}:{}", options_.adapters[static_cast<std::size_t>(place)], scale));
  std::ranges::sort(parts);
  return fmt::format("{}", fmt::join(parts, ";"));
}

std::set<std::string> Warmth::live_names() const {
  std::set<std::string> out;
  const std::lock_guard lock(mutex_);
  for (const auto& [slot, known] : known_) out.insert(known.name);
  return out;
}

void Warmth::know(const SlotView& slot, std::string name, Clock::time_point restored_at) {
  const std::lock_guard lock(mutex_);
  known_[slot.id] = {slot.task, slot.tokens, std::move(name), restored_at};
}

bool Warmth::has_offers() const {
  // With adapters llama.cpp must be told which slot has the right ones, even when nothing needs to be restored.
  return states_->has_others(options_.adapters.empty() ? live_names() : std::set<std::string>());
}

std::optional<int> Warmth::prepare(const std::vector<std::int32_t>& tokens, const AdapterScales& adapters) {
  const std::string set = text_of(adapters);
  std::optional<int> live;
  std::size_t live_common = 0;
  for (const auto& [slot, about] : known_for(set)) {
    const auto match = states_->match(about.name, tokens, set);
    if (!match || match->common <= live_common) continue;
    live = slot;
    live_common = match->common;
  }
  const auto best = states_->best(tokens, set);
  // Reading a long state for the sake of its beginning costs more than computing that.
  const bool worth = best && best->common >= live_common + options_.least_tokens && best->common * kGrowth >= best->length;
  if (!worth) return options_.adapters.empty() ? std::nullopt : live;
  const auto begin = Clock::now();
  const auto restored = restore(*best, adapters);
  if (!restored) {
    write_log_line(fmt::format("a saved conversation cannot be brought back: {}", restored.error().text()));
    return std::nullopt;
  }
  write_log_line(fmt::format("brought back {} tokens of a conversation in {} ms", best->common,
                             std::chrono::duration_cast<Milliseconds>(Clock::now() - begin).count()));
  return *restored;
}

// What slots hold, as far as a request with this set can use it. With adapters, another set may have taken a slot since, and llama.cpp must
// be told which slot to take: only those that are seen to be free and of this set count.
std::map<int, Warmth::Known> Warmth::known_for(const std::string& set) const {
  std::map<int, Known> out;
  {
    const std::lock_guard lock(mutex_);
    out = known_;
  }
  if (options_.adapters.empty()) return out;
  const auto slots = slots_.list(kSlotDeadline);
  std::erase_if(out, [&](const auto& entry) {
    const auto usable = [&](const SlotView& view) { return view.id == entry.first && !view.busy && text_of(view.adapters) == set; };
    return !slots || std::ranges::none_of(*slots, usable);
  });
  return out;
}

// An empty slot, else the one whose last task is the oldest; rather one whose content is saved.
std::optional<SlotView> Warmth::choose_slot(const std::vector<SlotView>& slots) const {
  const std::lock_guard lock(mutex_);
  std::optional<std::pair<std::pair<int, int>, SlotView>> best;
  for (const auto& slot : slots) {
    if (slot.busy) continue;
    const auto known = known_.find(slot.id);
    const bool saved = known != known_.end() && known->second.task == slot.task && known->second.tokens == slot.tokens;
    if (saved && Clock::now() - known->second.restored_at < kReserved) continue;  // its request is on its way
    const std::pair rank(slot.tokens == 0 ? 0 : saved ? 1 : 2, slot.task);
    if (!best || rank < best->first) best = {rank, slot};
  }
  return best ? std::optional(best->second) : std::nullopt;
}

Result<int> Warmth::restore(const SavedStates::Match& match, const AdapterScales& adapters) {
  const std::lock_guard work(slot_work_);
  PUNA_TRY(const auto slots, slots_.list(kSlotDeadline));
  const auto slot = choose_slot(slots);
  if (!slot) return fail(Code::overloaded, "every slot is busy");
  PUNA_TRY(const auto state, states_->read(match.name));
  if (!options_.adapters.empty() && slot->adapters != adapters) PUNA_CHECK(slots_.adopt(slot->id, adapters, kSlotDeadline));
  const auto restored = slots_.restore(slot->id, state, kSlotDeadline);
  if (!restored) {
    // What llama.cpp does not take today it will not take tomorrow; a slow one may.
    if (restored.error().code != Code::deadline_exceeded) states_->remove(match.name);
    return fail(restored.error());
  }
  PUNA_TRY(const auto after, slots_.list(kSlotDeadline));
  for (const auto& view : after)
    if (view.id == slot->id) know(view, match.name, Clock::now());
  return slot->id;
}

void Warmth::keep(const std::stop_token& stop) {
  while (wait_for_work(stop)) {
    bool everything = false;
    {
      const std::lock_guard lock(mutex_);
      everything = leaving_;
      dirty_ = false;
    }
    save_all(everything);
    if (!everything) continue;
    const std::lock_guard lock(mutex_);
    done_ = true;
    changed_.notify_all();
    return;
  }
}

// False: the end.
bool Warmth::wait_for_work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait(lock, stop, [this] { return dirty_ || leaving_; })) return false;
  while (!leaving_ && !stop.stop_requested()) {
    const auto due = std::min(dirty_since_ + kLongestWait, in_flight_ == 0 ? quiet_since_ + kQuiet : Clock::time_point::max());
    if (Clock::now() >= due) break;
    const auto seen = std::pair(in_flight_, quiet_since_);
    changed_.wait_until(lock, stop, due, [&] { return leaving_ || std::pair(in_flight_, quiet_since_) != seen; });
  }
  return !stop.stop_requested();
}

bool Warmth::is_known(const SlotView& slot) const {
  const std::lock_guard lock(mutex_);
  const auto known = known_.find(slot.id);
  return known != known_.end() && known->second.task == slot.task && known->second.tokens == slot.tokens;
}

// Its copy in memory, until it is written.
bool Warmth::has_room(const SlotView& slot) const {
  const std::uint64_t needed = static_cast<std::uint64_t>(slot.tokens) * options_.token_size.count;
  return needed < os::probe_hardware().memory_available_bytes / 2;
}

void Warmth::save_all(bool everything) {
  const auto slots = slots_.list(kSlotDeadline);
  if (!slots) return write_log_line(fmt::format("conversations cannot be saved: {}", slots.error().text()));
  for (const auto& slot : *slots) {
    if (slot.busy || is_known(slot)) continue;
    if (slot.tokens >= static_cast<std::int64_t>(options_.least_tokens) && has_room(slot))
      save(slot, everything);
    else
      know(slot, "");
  }
}

void Warmth::save(const SlotView& slot, bool everything) {
  std::optional<SlotState> state;
  {
    const std::lock_guard work(slot_work_);
    auto saved = slots_.save(slot.id, kSlotDeadline);
    if (!saved) return write_log_line(fmt::format("a conversation cannot be saved: {}", saved.error().text()));
    state = std::move(*saved);
    // Another task may have come between our look and the copy, with other adapters.
    const auto now = slots_.list(kSlotDeadline);
    const auto still = [&](const SlotView& view) { return view.id == slot.id && view.task == slot.task && !view.busy; };
    if (!now || std::ranges::none_of(*now, still)) return;
  }
  if (state->tokens.size() < options_.least_tokens) return know(slot, "");
  const StateOrigin origin{std::move(state->tokens), text_of(slot.adapters)};
  const std::size_t length = origin.tokens.size();
  const auto covering = states_->covering(origin);
  const std::size_t grown = length - (covering ? covering->common : 0);
  const bool worth = !covering || (everything ? grown > 0 : grown >= std::max(options_.least_tokens, length / kGrowth));
  if (!worth) return know(slot, covering->name);
  const auto name = states_->add(origin, state->bytes.path());
  if (!name) {
    know(slot, "");
    return write_log_line(fmt::format("a conversation cannot be saved: {}", name.error().text()));
  }
  know(slot, *name);
  write_log_line(fmt::format("saved {} tokens of a conversation", length));
}

void Warmth::farewell(Milliseconds limit) {
  std::unique_lock lock(mutex_);
  leaving_ = true;
  changed_.notify_all();
  changed_.wait_for(lock, limit, [this] { return done_; });
}

}  // namespace puna::worker
