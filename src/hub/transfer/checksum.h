// Checksums that find damage, not malice: XXH3, 64 bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace puna::hub::transfer {

[[nodiscard]] std::uint64_t checksum_of(std::string_view bytes, std::uint64_t seed = 0);

// Of bytes that come one after another.
class Checksum {
 public:
  Checksum();
  Checksum(Checksum&&) noexcept;
  ~Checksum();

  void update(std::span<const std::byte> bytes);
  [[nodiscard]] std::uint64_t value() const;
  void restart();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace puna::hub::transfer
