// Follows a growing file from its first byte: its digest, and the checksum of each block.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "hub/transfer/checksum.h"
#include "hub/transfer/digester.h"
#include "hub/transfer/partial_file.h"
#include "hub/transfer/span_set.h"

namespace puna::hub::transfer {

// One thread at a time.
class Verifier {
 public:
  // `expected`: checksums of blocks that an earlier transfer computed; what is on the disk is compared with them.
  Verifier(Algorithm wanted, Bytes size, std::vector<std::optional<std::uint64_t>> expected);

  [[nodiscard]] std::uint64_t at() const { return at_; }

  struct Step {
    // Of blocks that were completed: (number, checksum).
    std::vector<std::pair<std::uint64_t, std::uint64_t>> computed;
    // A block that is not what it was: to be fetched again. The verifier stands at its beginning.
    std::optional<Span> damaged;
  };
  // Blocks: reads on, up to `to`, for about as long as a few milliseconds, or until `stop`.
  [[nodiscard]] Result<Step> advance(const PartialFile& file, std::uint64_t to, const std::atomic<bool>& stop);
  // When everything was read.
  [[nodiscard]] Result<Digester::Found> found() const { return digester_.found(); }

 private:
  [[nodiscard]] bool end_block(Step& step);

  std::uint64_t size_;
  std::vector<std::optional<std::uint64_t>> expected_;
  Digester digester_;
  Digester at_block_;  // as it was when the block began
  Checksum checksum_;
  std::uint64_t at_ = 0;
};

}  // namespace puna::hub::transfer
