// Conversations that outlive the process: saved while nobody waits, brought back when a request continues one of them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/units.h"
#include "worker/warmth/saved_states.h"
#include "worker/warmth/slots.h"

namespace puna::worker {

struct WarmthOptions {
  std::vector<std::string> adapters;  // what identifies the file of each
  std::size_t least_tokens = 256;     // of a conversation that is worth saving
  Bytes token_size;                   // of keys and values
};

// A slot is saved when its worker has been quiet for a moment, or for the first time in a while; again when it has grown by an eighth. The
// thread of inference only copies the slot into memory, between two steps; hashing and writing is done here.
class Warmth {
 public:
  Warmth(server_context& context, std::unique_ptr<SavedStates> states, WarmthOptions options);
  ~Warmth();
  Warmth(const Warmth&) = delete;
  Warmth& operator=(const Warmth&) = delete;

  // Each request that generates, from before prepare() until its answer is complete. Any thread.
  void begin_request();
  void end_request();

  // Before a request with this prompt is given to llama.cpp: restores a saved state that is worth it into a slot and returns that slot;
  // with adapters also one that holds it already, because llama.cpp does not look at them when it chooses.
  [[nodiscard]] std::optional<int> prepare(const std::vector<std::int32_t>& tokens, const AdapterScales& adapters);
  // False: prepare() has nothing to offer, and the tokens need not be computed.
  [[nodiscard]] bool has_offers() const;

  // Saves what is not saved yet; returns when that is done, or when the time is over. Nothing is saved any more after that.
  void farewell(Milliseconds limit);

 private:
  using Clock = std::chrono::steady_clock;
  // What we know of a slot: it holds, or goes on from, a saved state, unless it had another task since.
  struct Known {
    int task = -1;
    std::int64_t tokens = 0;
    std::string name;               // of the state; empty: none
    Clock::time_point restored_at;  // so lately its request may not have come to it
  };

  void keep(const std::stop_token& stop);
  [[nodiscard]] bool has_room(const SlotView& slot) const;
  [[nodiscard]] bool is_known(const SlotView& slot) const;
  [[nodiscard]] bool wait_for_work(const std::stop_token& stop);
  void save_all(bool everything);
  void save(const SlotView& slot, bool everything);
  [[nodiscard]] Result<int> restore(const SavedStates::Match& match, const AdapterScales& adapters);
  [[nodiscard]] std::optional<SlotView> choose_slot(const std::vector<SlotView>& slots) const;
  [[nodiscard]] std::map<int, Known> known_for(const std::string& set) const;
  [[nodiscard]] std::string text_of(const AdapterScales& adapters) const;
  [[nodiscard]] std::set<std::string> live_names() const;
  void know(const SlotView& slot, std::string name, Clock::time_point restored_at = {});

  Slots slots_;
  std::unique_ptr<SavedStates> states_;
  const WarmthOptions options_;

  std::mutex slot_work_;  // saves and restores come one after the other
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<int, Known> known_;
  int in_flight_ = 0;
  bool dirty_ = false;
  bool leaving_ = false;
  bool done_ = false;
  Clock::time_point dirty_since_;
  Clock::time_point quiet_since_;
  std::jthread keeper_;  // last: it uses the members above
};

}  // namespace puna::worker
