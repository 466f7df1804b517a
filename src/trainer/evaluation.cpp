#include "trainer/evaluation.h"

#include <algorithm>

#include "dataset/order.h"

namespace puna::trainer {

Result<Evaluation> Evaluation::create(Units& units, const Plan& plan, wire::TuneMethod method) {
  Evaluation out;
  if (units.size() == 0 || plan.eval_every == 0) return out;
  const auto most = static_cast<std::size_t>(*plan.settings.eval_rows);
  const std::size_t count = most == 0 ? units.size() : std::min(most, units.size());
  const dataset::Shuffle order(static_cast<std::uint64_t>(*plan.settings.seed), 0, units.size());
  std::vector<std::vector<tune::TokenRow>> chosen;
  for (std::size_t i = 0; i < count; ++i) {
    const auto unit = static_cast<std::uint32_t>(order.at(i));
    out.rows_.push_back(units.row_of(unit));
    PUNA_TRY(auto rows, units.at(unit));
    chosen.push_back(std::move(rows));
  }
  out.batches_ = micro_batches(std::move(chosen), method, plan.options.pass.most_tokens, plan.packing);
  return out;
}

Result<tune::Score> Evaluation::score(tune::Trainer& trainer, const std::stop_token& stop) const {
  return trainer.score(batches_, tune::Trainer::With::adapter, stop);
}

}  // namespace puna::trainer
