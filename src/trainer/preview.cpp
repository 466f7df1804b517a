#include "trainer/preview.h"

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace puna::trainer {
namespace {

std::string readable(std::string_view bytes) {
  return is_utf8(bytes) ? std::string(bytes) : printable(bytes);
}

std::optional<std::string> name_of(tune::Answer answer) {
  switch (answer) {
    case tune::Answer::plain:
      return std::nullopt;
    case tune::Answer::chosen:
      return "chosen";
    case tune::Answer::rejected:
      return "rejected";
    case tune::Answer::good:
      return "good";
    case tune::Answer::bad:
      return "bad";
  }
  return std::nullopt;
}

}  // namespace

std::vector<wire::TunePiece> pieces_of(const inference::Vocabulary& vocabulary, const tune::TokenRow& row) {
  std::vector<wire::TunePiece> out;
  std::string pending;
  for (std::size_t i = 0; i < row.tokens.size(); ++i) {
    pending += vocabulary.piece(row.tokens[i]);
    const auto whole = i + 1 == row.tokens.size() ? pending.size() : utf8_complete_prefix(pending);
    // The first token is predicted from nothing.
    out.push_back({row.tokens[i], readable(std::string_view(pending).substr(0, whole)), i == 0 ? 0.0 : double(row.weights[i])});
    pending.erase(0, whole);
  }
  return out;
}

Result<wire::TunePreview> preview(const dataset::Dataset& data, const RowRenderer& renderer, std::string model, std::size_t count) {
  wire::TunePreview out{.model = std::move(model), .report = data.report(), .rows = {}};
  for (std::size_t index = 0; index < std::min(count, data.rows().size()); ++index) {
    PUNA_TRY(const auto row, data.rows().at(index));
    PUNA_TRY(const auto rendered, renderer.render(row));
    for (const auto& tokens : rendered.rows) {
      wire::TunePreviewRow shown{.file = row.file, .line = row.line, .answer = name_of(tokens.answer), .truncated = rendered.truncated};
      shown.pieces = pieces_of(renderer.vocabulary(), tokens);
      shown.tokens = static_cast<std::int64_t>(shown.pieces.size());
      shown.trained_tokens = std::ranges::count_if(shown.pieces, [](const auto& piece) { return piece.weight > 0; });
      out.rows.push_back(std::move(shown));
    }
  }
  return out;
}

}  // namespace puna::trainer
