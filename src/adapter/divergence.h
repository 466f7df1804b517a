// How far two forms of the same model are from each other, in what they say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>

#include "base/error.h"
#include "tune/adapter.h"
#include "tune/model.h"
#include "tune/team.h"

namespace puna::adapter {

struct Divergence {
  std::size_t tokens = 0;  // places that were compared
  double kl = 0;           // mean over them of the Kullback-Leibler divergence of the second from the first, in nats
  double same_choice = 0;  // share of them where both hold the same token for the likeliest
};

struct Speaker {
  const tune::Model& model;
  const tune::Adapter* adapter = nullptr;
};

// Over the places of one text, which has at least one token; the logits of all of them are held, so it should be short. Code::cancelled
// after a stop, within the time of one pass.
[[nodiscard]] Result<Divergence> measure_divergence(tune::Team& team, const Speaker& first, const Speaker& second,
                                                    std::span<const std::int32_t> text, const std::stop_token& stop = {});

}  // namespace puna::adapter
