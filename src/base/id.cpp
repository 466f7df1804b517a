#include "base/id.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <random>

namespace puna {

// Layout: https://github.com/ulid/spec, 48 bits of Unix milliseconds, then 80 random bits.
std::string new_ulid() {
  constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::random_device random;
  auto milliseconds = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count());
  std::string out(26, '0');
  for (std::size_t i = 10; i-- > 0; milliseconds >>= 5) out[i] = kAlphabet[milliseconds & 31];
  for (std::size_t i = 10; i < 26; ++i) out[i] = kAlphabet[random() & 31];
  return out;
}

}  // namespace puna
