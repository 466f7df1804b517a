#include "os/readable.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

#include "base/units.h"

namespace puna::os {

Wake wait_readable(int descriptor, const StopDescriptor& stop, std::chrono::steady_clock::time_point until) {
  constexpr std::int64_t kLongest = std::numeric_limits<int>::max();
  while (true) {
    const auto left = std::chrono::ceil<Milliseconds>(until - std::chrono::steady_clock::now()).count();
    std::array<pollfd, 2> watched{pollfd{stop.get(), POLLIN, 0}, pollfd{descriptor, POLLIN, 0}};
    const int ready = ::poll(watched.data(), descriptor < 0 ? 1 : 2, static_cast<int>(std::clamp<std::int64_t>(left, 0, kLongest)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0 && left > kLongest) continue;
    if (ready <= 0) return Wake::late;
    return watched[0].revents != 0 ? Wake::stopped : Wake::readable;
  }
}

}  // namespace puna::os
