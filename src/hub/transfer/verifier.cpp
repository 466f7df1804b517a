#include "hub/transfer/verifier.h"

#include <algorithm>

namespace puna::hub::transfer {
namespace {

constexpr std::size_t kRead = 256 << 10;       // fits into the processor's cache
constexpr std::uint64_t kAtOnce = 8ULL << 20;  // some milliseconds

}  // namespace

Verifier::Verifier(Algorithm wanted, Bytes size, std::vector<std::optional<std::uint64_t>> expected)
    : size_(size.count), expected_(std::move(expected)), digester_(wanted, size), at_block_(digester_) {}

Result<Verifier::Step> Verifier::advance(const PartialFile& file, std::uint64_t to, const std::atomic<bool>& stop) {
  static thread_local std::vector<std::byte> buffer(kRead);
  Step out;
  to = std::min(to, at_ + kAtOnce);
  while (at_ < to && !stop.load(std::memory_order_relaxed)) {
    const std::uint64_t block_end = (at_ / kBlock + 1) * kBlock;
    const auto length = static_cast<std::size_t>(std::min({std::uint64_t{kRead}, to - at_, block_end - at_}));
    const auto bytes = std::span(buffer).first(length);
    PUNA_CHECK(file.read(at_, bytes));
    digester_.update(bytes);
    checksum_.update(bytes);
    at_ += length;
    if ((at_ == block_end || at_ == size_) && !end_block(out)) break;
  }
  return out;
}

bool Verifier::end_block(Step& step) {
  const std::uint64_t number = (at_ - 1) / kBlock;
  const std::uint64_t checksum = checksum_.value();
  checksum_.restart();
  if (number < expected_.size() && expected_[number] && *expected_[number] != checksum) {
    expected_[number].reset();  // what comes instead is judged by the digest
    step.damaged = Span{number * kBlock, at_};
    at_ = number * kBlock;
    digester_ = at_block_;
    return false;
  }
  at_block_ = digester_;
  step.computed.emplace_back(number, checksum);
  return true;
}

}  // namespace puna::hub::transfer
