#include "hub/transfer/checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace puna::hub::transfer {

std::uint64_t checksum_of(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

struct Checksum::State {
  XXH3_state_t value;
};

Checksum::Checksum() : state_(std::make_unique<State>()) {
  restart();
}
Checksum::Checksum(Checksum&&) noexcept = default;
Checksum::~Checksum() = default;

void Checksum::update(std::span<const std::byte> bytes) {
  XXH3_64bits_update(&state_->value, bytes.data(), bytes.size());
}

std::uint64_t Checksum::value() const {
  return XXH3_64bits_digest(&state_->value);
}

void Checksum::restart() {
  XXH3_64bits_reset(&state_->value);
}

}  // namespace puna::hub::transfer
