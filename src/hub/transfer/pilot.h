// How many connections a host is worth: as many as make the whole faster, no more.
#pragma once

#include "base/clock.h"
#include "base/units.h"

namespace puna::hub::transfer {

// Hill climbing on measured throughput: doubles while that pays, then tries a little more and a little less now and then, keeps what is
// as fast with fewer, and goes back at once when more was slower. Pure: time and bytes come from outside.
class Pilot {
 public:
  Pilot(int most, MonotonicTime now);

  [[nodiscard]] int target() const { return target_; }
  void set_most(int most);
  // Bytes that came from the host since the last call; a few times a second. `saturated`: all of target() connections were at work and
  // nothing but them (no cap, no slow disk) held the bytes back. Otherwise nothing is learned. `wait`: what an answer takes to begin.
  void count(std::uint64_t bytes, bool saturated, Milliseconds wait, MonotonicTime now);
  // The host asked for less (429, 503): half of the connections, and no more than those for a minute.
  void refused(MonotonicTime now);

 private:
  enum class Mode { climbing, settled, probing_up, probing_down };

  void judge(double rate, MonotonicTime now);
  void go(int target, Mode mode, MonotonicTime now);
  void settle(MonotonicTime now);

  int most_;
  int target_;
  Mode mode_ = Mode::climbing;
  int kept_ = 0;          // what the present target is compared with
  double kept_rate_ = 0;  // bytes a second at `kept_`
  double best_rate_ = 0;  // of late: many small losses must not add up
  int stumbles_ = 0;
  int slow_in_a_row_ = 0;
  int fruitless_probes_ = 0;
  bool probe_up_next_ = true;
  MonotonicTime next_probe_{};
  int ceiling_;  // after a refusal, for a while
  MonotonicTime ceiling_until_{};
  // The measurement under way.
  MonotonicTime settled_at_;  // from then on bytes count: connections need time to dial
  std::uint64_t bytes_ = 0;
};

}  // namespace puna::hub::transfer
