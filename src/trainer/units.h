// What a step is made of: rows of the data as tokens, made when they are needed and kept while they are few.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/error.h"
#include "dataset/dataset.h"
#include "trainer/rows.h"
#include "tune/batch.h"

namespace puna::trainer {

// A conversation or two answers to compare is one unit; a document is as many as it has pieces. Not thread-safe.
class Units {
 public:
  // `rows` were counted by counter_of(). All outlive it.
  Units(const dataset::Rows& rows, const RowRenderer& renderer, wire::TuneMethod method, std::size_t context);

  [[nodiscard]] std::size_t size() const { return units_.size(); }
  // Tokens of each, at most: exactly, but for answers that are compared, which are taken for equally long.
  [[nodiscard]] std::vector<std::uint32_t> lengths() const;
  [[nodiscard]] std::size_t longest() const;
  // Rows of tokens that belong together.
  [[nodiscard]] Result<std::vector<tune::TokenRow>> at(std::uint32_t unit);
  // The row of the data that a unit is made of.
  [[nodiscard]] std::uint32_t row_of(std::uint32_t unit) const { return units_[unit].row; }

 private:
  struct Unit {
    std::uint32_t row = 0;
    std::uint32_t piece = 0;  // of a document
    std::uint32_t length = 0;
  };
  [[nodiscard]] Result<const std::vector<tune::TokenRow>*> rendered(std::uint32_t row);

  const dataset::Rows& rows_;
  const RowRenderer& renderer_;
  bool documents_;
  std::vector<Unit> units_;
  std::map<std::uint32_t, std::vector<tune::TokenRow>> kept_;
  std::size_t kept_tokens_ = 0;
};

// For dataset::Options::count_tokens: of conversations as the one renderer makes them, of documents all tokens that the other one, which
// cuts nothing, makes of them.
[[nodiscard]] dataset::TokenCounter counter_of(const RowRenderer& conversations, const RowRenderer& documents);

// Rows of one step, packed into as few micro-batches as they need, so that none has more than `capacity` tokens. What belongs together
// stays together. Without packing, each is alone.
enum class Packing : std::uint8_t { best_fit, alone };
[[nodiscard]] std::vector<tune::MicroBatch> micro_batches(std::vector<std::vector<tune::TokenRow>> units, wire::TuneMethod method,
                                                          std::size_t capacity, Packing packing);

}  // namespace puna::trainer
