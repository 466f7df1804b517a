#include "adapter/divergence.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "tune/batch.h"
#include "tune/pass.h"

namespace puna::adapter {
namespace {

// Logarithms of probabilities, in place.
void normalise(std::span<float> logits) {
  const float most = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - most);
  const auto shift = static_cast<float>(most + std::log(sum));
  for (auto& logit : logits) logit -= shift;
}

void compare(std::span<const float> first, std::span<const float> second, Divergence& out) {
  double kl = 0;
  for (std::size_t i = 0; i < first.size(); ++i)
    kl += std::exp(static_cast<double>(first[i])) * (static_cast<double>(first[i]) - second[i]);
  out.kl += std::max(kl, 0.0);
  out.same_choice += std::ranges::max_element(first) - first.begin() == std::ranges::max_element(second) - second.begin() ? 1 : 0;
  ++out.tokens;
}

Result<std::vector<float>> logs_of(tune::Team& team, const Speaker& speaker, const std::vector<std::int32_t>& text,
                                   const std::stop_token& stop) {
  if (stop.stop_requested()) return fail(Code::cancelled, "the comparison was stopped");
  const tune::TokenRow row{text, std::vector<float>(text.size(), 0)};
  const std::size_t vocabulary = speaker.model.shape().vocabulary;
  PUNA_CHECK(tune::check_row(row, vocabulary));
  const auto batch = tune::lay_out(std::span(&row, 1));
  const tune::PassOptions options{.most_tokens = text.size(), .longest = text.size()};
  std::vector<std::uint32_t> places(text.size());
  std::iota(places.begin(), places.end(), 0U);
  PUNA_TRY(auto out, tune::Pass(speaker.model, team, speaker.adapter, options).logits(batch, places, speaker.adapter));
  for (std::size_t at = 0; at < out.size(); at += vocabulary) normalise(std::span(out).subspan(at, vocabulary));
  return out;
}

}  // namespace

Result<Yardstick> Yardstick::of(tune::Team& team, const Speaker& speaker, std::span<const std::int32_t> text, const std::stop_token& stop) {
  Yardstick out({text.begin(), text.end()}, speaker.model.shape().vocabulary);
  PUNA_TRY(out.logs_, logs_of(team, speaker, out.text_, stop));
  return out;
}

Result<Divergence> Yardstick::measure(tune::Team& team, const Speaker& other, const std::stop_token& stop) const {
  PUNA_TRY(const auto logs, logs_of(team, other, text_, stop));
  Divergence out;
  for (std::size_t at = 0; at < logs.size(); at += vocabulary_)
    compare(std::span(logs_).subspan(at, vocabulary_), std::span(logs).subspan(at, vocabulary_), out);
  out.kl /= static_cast<double>(out.tokens);
  out.same_choice /= static_cast<double>(out.tokens);
  return out;
}

}  // namespace puna::adapter
