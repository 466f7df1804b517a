// Bandwidth by the time of day.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/units.h"

namespace puna::hub::transfer {

// What transfers may take: bytes a second, nothing at all, or everything.
struct Allowance {
  std::optional<Bytes> per_second;  // nullopt: without limit
  bool paused = false;

  bool operator==(const Allowance&) const = default;
};

// "22:00-06:00=0 08:00-18:00=2MB 12:00-13:00=pause": local time, 0 is without limit; of entries that overlap the first holds; the end may
// be on the next day.
class Schedule {
 public:
  [[nodiscard]] static Result<Schedule> parse(std::string_view text);
  // nullopt: no entry covers that time of the day.
  [[nodiscard]] std::optional<Allowance> at(Seconds since_midnight) const;

 private:
  struct Entry {
    Seconds from, to;
    Allowance allowance;
  };
  std::vector<Entry> entries_;
};

[[nodiscard]] Seconds local_time_of_day(WallTime time);

}  // namespace puna::hub::transfer
