// Token rows, and how they are laid out for one pass through the model.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"

namespace puna::tune {

// What a row is to the loss that it is trained by (tune/objective.h).
enum class Answer : std::uint8_t {
  plain,     // to be learnt
  chosen,    // the better one of two; the next row is the other
  rejected,  // the worse one, behind its chosen one
  good,      // judged by itself
  bad
};

// One example. weights[i] says how much the loss of predicting token i counts: 0 for a prompt, 1 for an answer. The first token is
// predicted from nothing, so its weight does not matter.
struct TokenRow {
  std::vector<std::int32_t> tokens;
  std::vector<float> weights;
  Answer answer = Answer::plain;
};

// Rows laid end to end: no padding. Each is a document of its own, whose positions begin at 0 and which sees only itself.
struct MicroBatch {
  struct Document {
    std::size_t first = 0;
    std::size_t count = 0;
    std::size_t first_trained = 0;  // of `trained`
    std::size_t trained_count = 0;
    Answer answer = Answer::plain;
  };
  // A place whose next token is trained.
  struct Trained {
    std::uint32_t token = 0;  // index into `tokens`: whose output predicts
    std::int32_t next = 0;    // what should be predicted
    float weight = 0;
  };
  std::vector<std::int32_t> tokens;
  std::vector<std::uint32_t> positions;
  std::vector<Document> documents;
  std::vector<Trained> trained;

  [[nodiscard]] std::size_t longest() const;
  [[nodiscard]] double weight() const;  // the sum over `trained`
};

// Code::invalid_argument for a row without tokens, with a token outside of the vocabulary, or with weights that are not one finite, not
// negative number a token.
[[nodiscard]] Result<> check_row(const TokenRow& row, std::size_t vocabulary);
[[nodiscard]] MicroBatch lay_out(std::span<const TokenRow> rows);
// Which rows to lay out together, so that none has more than `capacity` tokens: best fit, longest first. Every row in exactly one bin; a
// row longer than the capacity is alone. The same for the same lengths.
[[nodiscard]] std::vector<std::vector<std::size_t>> pack(std::span<const std::size_t> lengths, std::size_t capacity);

}  // namespace puna::tune
