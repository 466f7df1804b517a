// How far two forms of the same model are from each other, in what they say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <utility>
#include <vector>

#include "base/error.h"
#include "tune/adapter.h"
#include "tune/arithmetic/team.h"
#include "tune/model.h"

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

// What one of them says over a text, which has at least one token, for others to be held against. The logits of all its places are kept,
// so it should be short. Code::cancelled after a stop, within the time of one pass.
class Yardstick {
 public:
  [[nodiscard]] static Result<Yardstick> of(tune::Team& team, const Speaker& speaker, std::span<const std::int32_t> text,
                                            const std::stop_token& stop = {});
  [[nodiscard]] Result<Divergence> measure(tune::Team& team, const Speaker& other, const std::stop_token& stop = {}) const;

 private:
  Yardstick(std::vector<std::int32_t> text, std::size_t vocabulary) : text_(std::move(text)), vocabulary_(vocabulary) {}

  std::vector<std::int32_t> text_;
  std::size_t vocabulary_;
  std::vector<float> logs_;  // of probabilities, for each place
};

}  // namespace puna::adapter
