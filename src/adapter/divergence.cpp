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

void compare(std::span<float> first, std::span<float> second, Divergence& out) {
  normalise(first);
  normalise(second);
  double kl = 0;
  for (std::size_t i = 0; i < first.size(); ++i)
    kl += std::exp(static_cast<double>(first[i])) * (static_cast<double>(first[i]) - second[i]);
  out.kl += std::max(kl, 0.0);
  out.same_choice += std::ranges::max_element(first) - first.begin() == std::ranges::max_element(second) - second.begin() ? 1 : 0;
  ++out.tokens;
}

}  // namespace

Result<Divergence> measure_divergence(tune::Team& team, const Speaker& first, const Speaker& second, std::span<const std::int32_t> text,
                                      const std::stop_token& stop) {
  const std::size_t vocabulary = first.model.shape().vocabulary;
  const tune::TokenRow row{{text.begin(), text.end()}, std::vector<float>(text.size(), 0)};
  PUNA_CHECK(tune::check_row(row, vocabulary));
  const auto batch = tune::lay_out(std::span(&row, 1));
  const tune::PassOptions options{.most_tokens = text.size(), .longest = text.size()};
  std::vector<std::uint32_t> places(text.size());
  std::iota(places.begin(), places.end(), 0U);
  const auto logits_of = [&](const Speaker& speaker) -> Result<std::vector<float>> {
    if (stop.stop_requested()) return fail(Code::cancelled, "the comparison was stopped");
    return tune::Pass(speaker.model, team, speaker.adapter, options).logits(batch, places, speaker.adapter);
  };
  PUNA_TRY(auto a, logits_of(first));
  PUNA_TRY(auto b, logits_of(second));
  Divergence out;
  for (std::size_t at = 0; at < a.size(); at += vocabulary)
    compare(std::span(a).subspan(at, vocabulary), std::span(b).subspan(at, vocabulary), out);
  out.kl /= static_cast<double>(out.tokens);
  out.same_choice /= static_cast<double>(out.tokens);
  return out;
}

}  // namespace puna::adapter
