// Rows of a data set as the tokens that the model sees while it is served, and which of them are trained.
#pragma once

#include <cstddef>
#include <vector>

#include "dataset/dataset.h"
#include "inference/chat_template.h"
#include "inference/vocabulary.h"
#include "tune/batch.h"

namespace puna::trainer {

struct RowOptions {
  wire::TuneMethod method = wire::TuneMethod::sft;
  wire::TrainOn train_on = wire::TrainOn::completion;
  std::size_t max_tokens = 0;  // in a row; longer ones lose their end, longer documents become several rows. 0: no limit
};

// What is trained of one row of a data set.
struct RenderedRow {
  // sft: one conversation; several, where the template shows earlier turns in another way than it showed them when they were the last.
  // pretrain: the pieces of a document. dpo, orpo: chosen and rejected, side by side. kto: the answer that is judged.
  std::vector<tune::TokenRow> rows;
  std::size_t longest = 0;  // tokens, before anything was cut
  bool truncated = false;
};

// Every trained turn stands behind exactly the tokens that the server would make of the conversation before it, ends with the token that
// ends a turn, and that one is trained, too. Thread-safe.
class RowRenderer {
 public:
  // Both outlive it.
  RowRenderer(const inference::Vocabulary& vocabulary, const inference::ChatTemplate& chat_template, const RowOptions& options);

  // Code::invalid_argument: the template refuses the conversation; Code::too_large: nothing of what is trained is within max_tokens.
  [[nodiscard]] Result<RenderedRow> render(const dataset::Row& row) const;
  // For dataset::Options::count_tokens; valid while the renderer is.
  [[nodiscard]] dataset::TokenCounter counter() const;
  [[nodiscard]] const inference::Vocabulary& vocabulary() const { return vocabulary_; }

 private:
  [[nodiscard]] Result<std::vector<tune::TokenRow>> conversation(std::vector<dataset::Message> messages,
                                                                 const std::optional<json::array>& tools) const;
  [[nodiscard]] Result<std::vector<tune::TokenRow>> answers(const dataset::Row& row) const;
  [[nodiscard]] std::vector<tune::TokenRow> document(std::string_view text) const;
  [[nodiscard]] Result<> cut(RenderedRow& out) const;

  const inference::Vocabulary& vocabulary_;
  const inference::ChatTemplate& template_;
  RowOptions options_;
};

}  // namespace puna::trainer
