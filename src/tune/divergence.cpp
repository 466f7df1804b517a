#include "tune/divergence.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace puna::tune {
namespace {

// A document in the batch where it lies, split where its answer begins.
struct Place {
  const MicroBatch* batch;
  const MicroBatch::Document* document;

  [[nodiscard]] std::size_t border() const { return batch->trained[document->first_trained].token + 1; }
  [[nodiscard]] std::span<const std::int32_t> prompt() const {
    return std::span(batch->tokens).subspan(document->first, border() - document->first);
  }
  [[nodiscard]] std::span<const std::int32_t> answer() const {
    return std::span(batch->tokens).subspan(border(), document->first + document->count - border());
  }
};

TokenRow joined(const Place& asks, const Place& answers, std::size_t longest) {
  TokenRow out;
  out.tokens.assign(asks.prompt().begin(), asks.prompt().end());
  out.tokens.insert(out.tokens.end(), answers.answer().begin(), answers.answer().end());
  out.weights.assign(out.tokens.size(), 0);
  const auto& batch = *answers.batch;
  for (std::size_t i = 0; i < answers.document->trained_count; ++i) {
    const auto& trained = batch.trained[answers.document->first_trained + i];
    out.weights[asks.prompt().size() + trained.token + 1 - answers.border()] = trained.weight;
  }
  out.tokens.resize(std::min(out.tokens.size(), longest));
  out.weights.resize(out.tokens.size());
  return out;
}

double sum_of(const MicroBatch& batch, std::span<const float> logs) {
  double out = 0;
  for (std::size_t i = 0; i < logs.size(); ++i) out += double(batch.trained[i].weight) * logs[i];
  return out;
}

}  // namespace

std::vector<TokenRow> mismatched_rows(std::span<const MicroBatch> batches, std::size_t longest) {
  std::vector<Place> places;
  for (const auto& batch : batches)
    for (const auto& document : batch.documents) places.push_back({&batch, &document});
  std::vector<TokenRow> out;
  for (std::size_t i = 0; i < places.size(); ++i) {
    for (std::size_t step = 1; step < places.size(); ++step) {
      const auto& other = places[(i + step) % places.size()];
      if (std::ranges::equal(places[i].prompt(), other.prompt())) continue;
      auto row = joined(places[i], other, longest);
      if (std::ranges::any_of(row.weights, [](float weight) { return weight > 0; })) out.push_back(std::move(row));
      break;
    }
  }
  return out;
}

Result<double> estimate_divergence(Pass& pass, const Adapter* adapter, std::span<const MicroBatch> batches, const PassOptions& limits,
                                   const std::stop_token& stop) {
  if (adapter == nullptr) return 0;
  const auto rows = mismatched_rows(batches, limits.longest);
  if (rows.empty()) return 0;
  std::vector<std::size_t> lengths(rows.size());
  std::ranges::transform(rows, lengths.begin(), [](const TokenRow& row) { return row.tokens.size(); });
  double gain = 0;
  for (const auto& bin : pack(lengths, limits.most_tokens)) {
    std::vector<TokenRow> together;
    for (const auto row : bin) together.push_back(rows[row]);
    const auto batch = lay_out(together);
    PUNA_TRY(const auto logs, pass.score(batch, adapter, stop));
    PUNA_TRY(const auto base, pass.score(batch, nullptr, stop));
    gain += sum_of(batch, logs) - sum_of(batch, base);
  }
  return std::max(0.0, gain / static_cast<double>(rows.size()));
}

}  // namespace puna::tune
