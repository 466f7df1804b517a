#include "hub/transfer/pilot.h"

#include <algorithm>

namespace puna::hub::transfer {
namespace {

using FloatSeconds = std::chrono::duration<double>;

constexpr int kFirst = 4;
constexpr Milliseconds kDialling{200};       // after a change, before bytes are counted
constexpr Milliseconds kShortestClimb{150};  // how long is measured while connections double
constexpr Milliseconds kLongestClimb{1000};
constexpr int kClimbWaits = 4;          // times the wait for an answer, between those two
constexpr Milliseconds kProbing{1000};  // how long is measured when a settled number is judged
constexpr int kStumblesBelieved = 2;    // steps in a row that did not pay
constexpr double kPaysFully = 1.7;      // a doubling; the next step is larger
constexpr Milliseconds kBetweenProbes{4000};
constexpr int kLongestPause = 8;  // fruitless probes, each doubling the time to the next up to here
constexpr double kWorthDoubling = 1.15;
constexpr double kWorthMore = 1.04;   // of a quarter more connections
constexpr double kAsGood = 0.98;      // with fewer connections
constexpr double kForgetting = 0.99;  // of the best rate, at each judgement
constexpr double kCollapsed = 0.5;
constexpr int kCollapsesBelieved = 3;
constexpr Milliseconds kObedience = std::chrono::minutes(1);

int quarter(int n) {
  return std::max(1, n / 4);
}

}  // namespace

Pilot::Pilot(int most, MonotonicTime now) : most_(most), target_(std::min(kFirst, most)), ceiling_(most), settled_at_(now) {}

void Pilot::set_most(int most) {
  most_ = most;
  target_ = std::min(target_, most);
}

void Pilot::count(std::uint64_t bytes, bool saturated, Milliseconds wait, MonotonicTime now) {
  if (now >= ceiling_until_) ceiling_ = most_;
  if (!saturated || now <= settled_at_) {
    bytes_ = 0;
    settled_at_ = std::max(settled_at_, now);
    return;
  }
  bytes_ += bytes;
  const auto elapsed = now - settled_at_;
  const auto climb = std::clamp(wait * kClimbWaits, kShortestClimb, kLongestClimb);
  if (elapsed < (mode_ == Mode::climbing ? climb : kProbing) || bytes_ == 0) return;
  const double rate = static_cast<double>(bytes_) / FloatSeconds(elapsed).count();
  bytes_ = 0;
  settled_at_ = now;
  judge(rate, now);
}

void Pilot::judge(double rate, MonotonicTime now) {
  best_rate_ = std::max(rate, best_rate_ * kForgetting);
  switch (mode_) {
    case Mode::climbing:
      if (rate >= kept_rate_ * kWorthDoubling) {
        const bool fully = kept_rate_ > 0 && rate >= kept_rate_ * kPaysFully;
        stumbles_ = 0;
        kept_ = target_;
        kept_rate_ = rate;
        const int next = std::min({target_ * (fully ? 4 : 2), most_, ceiling_});
        return next > target_ ? go(next, Mode::climbing, now) : settle(now);
      }
      if (++stumbles_ < kStumblesBelieved) return;
      stumbles_ = 0;
      go(kept_, Mode::settled, now);
      return settle(now);
    case Mode::probing_up:
    case Mode::probing_down: {
      const bool better = mode_ == Mode::probing_up ? rate >= kept_rate_ * kWorthMore : rate >= best_rate_ * kAsGood;
      fruitless_probes_ = better ? 0 : std::min(fruitless_probes_ + 1, kLongestPause);
      if (better) {
        kept_ = target_;
        kept_rate_ = rate;
      } else {
        probe_up_next_ = mode_ == Mode::probing_down;
        go(kept_, Mode::settled, now);
      }
      return settle(now);
    }
    case Mode::settled:
      slow_in_a_row_ = rate < kept_rate_ * kCollapsed ? slow_in_a_row_ + 1 : 0;
      if (slow_in_a_row_ >= kCollapsesBelieved) {  // another network than the one that was measured
        slow_in_a_row_ = 0;
        kept_rate_ = best_rate_ = 0;
        return go(target_, Mode::climbing, now);
      }
      kept_ = target_;
      kept_rate_ = kept_rate_ * 0.7 + rate * 0.3;
      if (now < next_probe_) return;
      if (probe_up_next_ && target_ < std::min(most_, ceiling_))
        return go(std::min({target_ + quarter(target_), most_, ceiling_}), Mode::probing_up, now);
      probe_up_next_ = true;
      if (target_ > 1) go(target_ - quarter(target_), Mode::probing_down, now);
      return;
  }
}

void Pilot::go(int target, Mode mode, MonotonicTime now) {
  target_ = std::clamp(target, 1, std::max(1, std::min(most_, ceiling_)));
  mode_ = mode;
  bytes_ = 0;
  // While climbing the caller sees when most of the new connections bring something.
  settled_at_ = mode == Mode::climbing ? now : now + kDialling;
}

void Pilot::settle(MonotonicTime now) {
  mode_ = Mode::settled;
  next_probe_ = now + kBetweenProbes * (1 << std::min(fruitless_probes_, 4));
}

void Pilot::refused(MonotonicTime now) {
  if (now < settled_at_) return;  // of connections that were asked for before the last change
  ceiling_ = std::max(1, target_ / 2);
  ceiling_until_ = now + kObedience;
  kept_ = ceiling_;
  kept_rate_ = best_rate_ = 0;
  go(ceiling_, Mode::settled, now);
  settle(now);
}

}  // namespace puna::hub::transfer
