#include "tune/objective.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace puna::tune {
namespace {

using Document = MicroBatch::Document;

constexpr double kMostBeta = 100;
constexpr double kMostWeight = 1000;
constexpr double kLeastRoom = 1e-6;  // between a probability and 1

double sigmoid(double x) {
  return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
}
double log_sigmoid(double x) {
  return x >= 0 ? -std::log1p(std::exp(-x)) : x - std::log1p(std::exp(x));
}

// One answer: the sums of its tokens' logarithms and weights.
struct Said {
  double log = 0;
  double base = 0;
  double weight = 0;

  [[nodiscard]] double gain() const { return log - base; }
  [[nodiscard]] double mean_log() const { return log / weight; }
  [[nodiscard]] double mean_gain() const { return gain() / weight; }
};

Said said(const Predicted& in, const Document& document) {
  Said out;
  for (std::size_t i = document.first_trained; i < document.first_trained + document.trained_count; ++i) {
    const double weight = in.batch.trained[i].weight;
    out.log += weight * in.logs[i];
    if (!in.base.empty()) out.base += weight * in.base[i];
    out.weight += weight;
  }
  return out;
}

// `slope` is the loss's derivative with respect to the sum of the document's logarithms.
void spread(const Predicted& in, const Document& document, double slope, std::vector<float>& slopes) {
  for (std::size_t i = document.first_trained; i < document.first_trained + document.trained_count; ++i)
    slopes[i] = static_cast<float>(slope * in.batch.trained[i].weight);
}

Result<> check_trained(const MicroBatch& batch) {
  for (const auto& document : batch.documents)
    if (document.trained_count == 0) return fail(Code::invalid_argument, "nothing of an answer to compare is trained");
  return {};
}

// The loss of one pair, and its derivatives with respect to the sums of both answers' logarithms.
struct PairLoss {
  double loss = 0;
  double chosen_slope = 0;
  double rejected_slope = 0;
  double chosen_reward = 0;
  double rejected_reward = 0;
};

class Pairs : public Objective {
 public:
  Result<> check(const MicroBatch& batch) const override {
    bool paired = batch.documents.size() % 2 == 0;
    for (std::size_t i = 0; i < batch.documents.size(); ++i)
      paired = paired && batch.documents[i].answer == (i % 2 == 0 ? Answer::chosen : Answer::rejected);
    if (!paired) return fail(Code::invalid_argument, "a micro-batch must hold each chosen answer and, behind it, the rejected one");
    return check_trained(batch);
  }
  std::size_t examples(const MicroBatch& batch) const override { return batch.documents.size() / 2; }
  bool needs_divergence() const override { return false; }
  Judgement judge(const Predicted& in) const override {
    Judgement out{.slopes = std::vector<float>(in.logs.size())};
    for (std::size_t i = 0; i + 1 < in.batch.documents.size(); i += 2) {
      const auto& chosen = in.batch.documents[i];
      const auto& rejected = in.batch.documents[i + 1];
      const auto pair = loss_of(said(in, chosen), said(in, rejected));
      out.loss += pair.loss;
      spread(in, chosen, pair.chosen_slope, out.slopes);
      spread(in, rejected, pair.rejected_slope, out.slopes);
      out.rewards += {.chosen = pair.chosen_reward,
                      .rejected = pair.rejected_reward,
                      .chosen_count = 1,
                      .rejected_count = 1,
                      .right = pair.chosen_reward > pair.rejected_reward ? 1UZ : 0UZ,
                      .compared = 1};
    }
    return out;
  }

 private:
  [[nodiscard]] virtual PairLoss loss_of(const Said& chosen, const Said& rejected) const = 0;
};

// -(1 - e) log s(b h) - e log s(-b h), where h is how much more the chosen answer gained on the base than the rejected one.
class Dpo : public Pairs {
 public:
  explicit Dpo(const ObjectiveOptions& options)
      : beta_(options.beta), smoothing_(options.label_smoothing), normalized_(options.loss == Loss::dpo_normalized) {}
  bool compares_with_base() const override { return true; }

 private:
  PairLoss loss_of(const Said& chosen, const Said& rejected) const override {
    const double chosen_reward = beta_ * (normalized_ ? chosen.mean_gain() : chosen.gain());
    const double rejected_reward = beta_ * (normalized_ ? rejected.mean_gain() : rejected.gain());
    const double margin = chosen_reward - rejected_reward;
    const double slope = beta_ * (smoothing_ * sigmoid(margin) - (1 - smoothing_) * sigmoid(-margin));
    return {.loss = -(1 - smoothing_) * log_sigmoid(margin) - smoothing_ * log_sigmoid(-margin),
            .chosen_slope = slope / (normalized_ ? chosen.weight : 1),
            .rejected_slope = -slope / (normalized_ ? rejected.weight : 1),
            .chosen_reward = chosen_reward,
            .rejected_reward = rejected_reward};
  }

  double beta_;
  double smoothing_;
  bool normalized_;
};

// (h - 1 / (2 t))²: the gain has a goal, so that it does not grow for ever where all labels agree.
class Ipo : public Pairs {
 public:
  explicit Ipo(const ObjectiveOptions& options) : tau_(options.beta) {}
  bool compares_with_base() const override { return true; }

 private:
  PairLoss loss_of(const Said& chosen, const Said& rejected) const override {
    const double off = chosen.gain() - rejected.gain() - 1 / (2 * tau_);
    return {.loss = off * off,
            .chosen_slope = 2 * off,
            .rejected_slope = -2 * off,
            .chosen_reward = tau_ * chosen.gain(),
            .rejected_reward = tau_ * rejected.gain()};
  }

  double tau_;
};

// -log p(chosen) - l log s(log odds(chosen) - log odds(rejected)), with p the geometric mean of an answer's tokens and odds p / (1 - p).
class Orpo : public Pairs {
 public:
  explicit Orpo(const ObjectiveOptions& options) : lambda_(options.beta) {}
  bool compares_with_base() const override { return false; }

 private:
  PairLoss loss_of(const Said& chosen, const Said& rejected) const override {
    const double chosen_room = std::max(-std::expm1(chosen.mean_log()), kLeastRoom);
    const double rejected_room = std::max(-std::expm1(rejected.mean_log()), kLeastRoom);
    const double ratio = chosen.mean_log() - std::log(chosen_room) - rejected.mean_log() + std::log(rejected_room);
    const double slope = -lambda_ * sigmoid(-ratio);
    return {.loss = -chosen.mean_log() - lambda_ * log_sigmoid(ratio),
            .chosen_slope = (-1 + slope / chosen_room) / chosen.weight,
            .rejected_slope = -slope / rejected_room / rejected.weight,
            .chosen_reward = lambda_ * chosen.mean_log(),
            .rejected_reward = lambda_ * rejected.mean_log()};
  }

  double lambda_;
};

// w - w s(± b (gain - z)): how much an answer gained on the base beyond what any answer did. z has no slope.
class Kto : public Objective {
 public:
  explicit Kto(const ObjectiveOptions& options)
      : beta_(options.beta), good_weight_(options.desirable_weight), bad_weight_(options.undesirable_weight) {}
  Result<> check(const MicroBatch& batch) const override {
    for (const auto& document : batch.documents)
      if (document.answer != Answer::good && document.answer != Answer::bad)
        return fail(Code::invalid_argument, "a micro-batch must hold answers that are judged good or bad");
    return check_trained(batch);
  }
  std::size_t examples(const MicroBatch& batch) const override { return batch.documents.size(); }
  bool compares_with_base() const override { return true; }
  bool needs_divergence() const override { return true; }
  Judgement judge(const Predicted& in) const override {
    Judgement out{.slopes = std::vector<float>(in.logs.size())};
    for (const auto& document : in.batch.documents) {
      const bool good = document.answer == Answer::good;
      const double weight = good ? good_weight_ : bad_weight_;
      const double gain = said(in, document).gain();
      const double sign = good ? 1 : -1;
      const double value = sigmoid(sign * beta_ * (gain - in.divergence));
      out.loss += weight * (1 - value);
      spread(in, document, -sign * weight * beta_ * value * (1 - value), out.slopes);
      Rewards rewards{.right = sign * (gain - in.divergence) > 0 ? 1UZ : 0UZ, .compared = 1};
      (good ? rewards.chosen : rewards.rejected) = beta_ * gain;
      (good ? rewards.chosen_count : rewards.rejected_count) = 1;
      out.rewards += rewards;
    }
    return out;
  }

 private:
  double beta_;
  double good_weight_;
  double bad_weight_;
};

}  // namespace

Rewards& Rewards::operator+=(const Rewards& other) {
  chosen += other.chosen;
  rejected += other.rejected;
  chosen_count += other.chosen_count;
  rejected_count += other.rejected_count;
  right += other.right;
  compared += other.compared;
  return *this;
}

Result<> check(const ObjectiveOptions& options) {
  if (!(options.beta > 0 && options.beta <= kMostBeta))
    return fail(Code::invalid_argument, fmt::format("beta is {}; it must be more than 0 and at most {}", options.beta, kMostBeta));
  if (!(options.label_smoothing >= 0 && options.label_smoothing < 0.5))
    return fail(Code::invalid_argument,
                fmt::format("label_smoothing is {}; it must be at least 0 and less than 0.5", options.label_smoothing));
  for (const double weight : {options.desirable_weight, options.undesirable_weight})
    if (!(weight > 0 && weight <= kMostWeight))
      return fail(Code::invalid_argument,
                  fmt::format("a weight of answers is {}; it must be more than 0 and at most {}", weight, kMostWeight));
  return {};
}

std::unique_ptr<const Objective> make_objective(const ObjectiveOptions& options) {
  switch (options.loss) {
    case Loss::cross_entropy:
      return nullptr;
    case Loss::dpo:
    case Loss::dpo_normalized:
      return std::make_unique<Dpo>(options);
    case Loss::ipo:
      return std::make_unique<Ipo>(options);
    case Loss::orpo:
      return std::make_unique<Orpo>(options);
    case Loss::kto:
      return std::make_unique<Kto>(options);
  }
  return nullptr;
}

}  // namespace puna::tune
