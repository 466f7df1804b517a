// How far the adapter has moved the model from its base, whatever the answer: what KTO measures gains against.
#pragma once

#include <span>
#include <stop_token>

#include "base/error.h"
#include "tune/adapter.h"
#include "tune/batch.h"
#include "tune/pass.h"

namespace puna::tune {

// The rows that it is estimated by: each document's prompt with the answer of another document that has another prompt, cut to `longest`
// tokens. Empty where there are no two prompts.
[[nodiscard]] std::vector<TokenRow> mismatched_rows(std::span<const MicroBatch> batches, std::size_t longest);

// max(0, the mean over these rows of log p(answer | prompt) - log p_base(answer | prompt)), without dropout; Ethayarajh et al.,
// section 4.1, where the mean is over a step's rows. 0 without an adapter. `limits` are the pass's own.
[[nodiscard]] Result<double> estimate_divergence(Pass& pass, const Adapter* adapter, std::span<const MicroBatch> batches,
                                                 const PassOptions& limits, const std::stop_token& stop);

}  // namespace puna::tune
