#include "trainer/loop.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "os/place_file.h"
#include "trainer/guard.h"
#include "trainer/measure.h"
#include "tune/adapter_file.h"

namespace puna::trainer {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;
using wire::TuneEventKind;

constexpr std::string_view kSampled = "sampled.gguf";  // while it answers sample prompts

// Means of sums.
std::optional<wire::TuneRewards> rewards_of(const std::optional<tune::Rewards>& sums) {
  if (!sums) return std::nullopt;
  const auto mean = [](double sum, std::size_t count) { return count == 0 ? 0 : sum / static_cast<double>(count); };
  wire::TuneRewards out{.chosen = mean(sums->chosen, sums->chosen_count), .rejected = mean(sums->rejected, sums->rejected_count)};
  out.margin = out.chosen - out.rejected;
  out.accuracy = mean(static_cast<double>(sums->right), sums->compared);
  return out;
}

// The run while its weights are in memory.
class Loop {
 public:
  Loop(const Stage& stage, tune::Trainer& trainer, std::stop_token stop)
      : stage_(stage), plan_(stage.plan), trainer_(trainer), guard_(stage.plan.settings.patience.value_or(0)), stop_(std::move(stop)) {}

  // To the last step, or to an earlier end. Then adapter.gguf is there.
  Result<Cursor> run() {
    PUNA_TRY(const auto restored, stage_.checkpoints.restore(trainer_));
    if (restored) cursor_ = *restored;
    guard_.restore(cursor_.guard);
    std::error_code error;
    fs::remove(stage_.folder / kSampled, error);
    saved_ = restored ? cursor_.step : -1;
    began_ = steady_clock::now();
    auto done = go();
    if (!done && done.error().code == Code::cancelled) PUNA_CHECK(save());
    if (!done) return fail(std::move(done).error());
    // What comes now can be stopped, too.
    PUNA_CHECK(save());
    PUNA_CHECK(write_result());
    return cursor_;
  }

  [[nodiscard]] std::string ended() const {
    return guard_.enough() ? fmt::format("early, after {} evaluations without a better loss", plan_.settings.patience.value_or(0))
                           : "all steps";
  }

 private:
  Result<> go() {
    PUNA_CHECK(stage_.teller.phase("training", cursor_.step, plan_.course.steps(), "steps"));
    while (true) {
      if (evaluation_due()) PUNA_CHECK(evaluate());
      if (cursor_.step >= plan_.course.steps() || guard_.enough()) return {};
      if (cursor_.step > 0 && cursor_.step % plan_.checkpoint_every == 0) PUNA_CHECK(save());
      PUNA_CHECK(step());
    }
  }

  bool evaluation_due() const {
    if (plan_.eval_every == 0 || cursor_.evaluated >= cursor_.step) return false;
    return cursor_.step % plan_.eval_every == 0 || cursor_.step >= plan_.course.steps();
  }

  Result<> evaluate() {
    if (!stage_.evaluation.empty()) PUNA_CHECK(score());
    cursor_.evaluated = cursor_.step;
    saved_ = -1;
    return plan_.settings.sample_prompts ? sample() : Result<>();
  }

  Result<> score() {
    PUNA_TRY(const auto score, stage_.evaluation.score(trainer_, stop_));
    const auto judgement = guard_.evaluation(cursor_.step, score.loss);
    if (cursor_.step == 0) cursor_.base_loss = score.loss;
    if (judgement.best && *plan_.settings.keep_best)
      PUNA_CHECK(tune::write_adapter(stage_.folder / kBest, stage_.materials.model(), trainer_.adapter()));
    PUNA_CHECK(stage_.teller.tell({.kind = TuneEventKind::evaluation,
                                   .step = cursor_.step,
                                   .steps = plan_.course.steps(),
                                   .epoch = plan_.course.epoch(cursor_.step),
                                   .eval_loss = score.loss,
                                   .best = judgement.best,
                                   .rewards = rewards_of(score.rewards)}));
    return note(judgement.notes);
  }

  Result<> sample() {
    const auto adapter = stage_.folder / kSampled;
    PUNA_CHECK(tune::write_adapter(adapter, stage_.materials.model(), trainer_.adapter()));
    const auto asked = stage_.materials.method() == wire::TuneMethod::pretrain ? Interview::Asked::text : Interview::Asked::chat;
    auto samples = interview_for(stage_.materials, plan_).samples(*plan_.settings.sample_prompts, asked, adapter, stop_);
    std::error_code error;
    fs::remove(adapter, error);
    if (!samples) return fail(std::move(samples).error());
    return stage_.teller.tell(
        {.kind = TuneEventKind::sample, .step = cursor_.step, .steps = plan_.course.steps(), .samples = std::move(*samples)});
  }

  Result<> note(const std::vector<std::string>& notes) {
    for (const auto& text : notes) PUNA_CHECK(stage_.teller.tell({.kind = TuneEventKind::note, .step = cursor_.step, .note = text}));
    return {};
  }

  Result<> save() {
    if (saved_ == cursor_.step) return {};
    update_cursor();
    PUNA_TRY(auto name, stage_.checkpoints.save(trainer_, cursor_));
    saved_ = cursor_.step;
    return stage_.teller.tell({.kind = TuneEventKind::checkpoint, .step = cursor_.step, .checkpoint = std::move(name)});
  }

  void update_cursor() {
    cursor_.guard = guard_.state();
    cursor_.peak_memory = std::max(cursor_.peak_memory, peak_memory());
    const auto now = steady_clock::now();
    cursor_.seconds += std::chrono::duration<double>(now - std::exchange(counted_, now)).count();
  }

  Result<> step() {
    std::vector<std::vector<tune::TokenRow>> rows;
    for (const auto unit : plan_.course.rows(cursor_.step)) {
      PUNA_TRY(auto tokens, stage_.units.at(unit));
      rows.push_back(std::move(tokens));
    }
    const auto batches = micro_batches(std::move(rows), stage_.materials.method(), plan_.options.pass.most_tokens, plan_.packing);
    const auto begin = steady_clock::now();
    PUNA_TRY(const auto report, trainer_.step(batches, stop_));
    ++cursor_.step;
    cursor_.tokens += static_cast<std::int64_t>(report.tokens);
    tokens_here_ += static_cast<double>(report.tokens);
    auto notes = guard_.step(cursor_.step, report.loss, report.skipped, static_cast<double>(report.learning_rate));
    std::int64_t trained = 0;
    for (const auto& batch : batches) trained += static_cast<std::int64_t>(batch.trained.size());
    PUNA_CHECK(tell(report, trained, std::chrono::duration<double>(steady_clock::now() - begin).count()));
    if (!notes) return fail(std::move(notes).error());
    return note(*notes);
  }

  Result<> tell(const tune::StepReport& report, std::int64_t trained, double seconds) {
    const double here = std::chrono::duration<double>(steady_clock::now() - began_).count();
    const double left = static_cast<double>(plan_.course.tokens_after(cursor_.step)) * here / std::max(1.0, tokens_here_);
    wire::TuneEvent event{.kind = TuneEventKind::step,
                          .step = cursor_.step,
                          .steps = plan_.course.steps(),
                          .epoch = plan_.course.epoch(cursor_.step),
                          .learning_rate = static_cast<double>(report.learning_rate),
                          .tokens = static_cast<std::int64_t>(report.tokens),
                          .trained_tokens = trained,
                          .tokens_per_second = static_cast<double>(report.tokens) / std::max(seconds, 1e-9),
                          .memory = memory_now(),
                          .elapsed_seconds = cursor_.seconds + std::chrono::duration<double>(steady_clock::now() - counted_).count(),
                          .eta_seconds = static_cast<std::int64_t>(left + 0.5)};
    // JSON has no word for what is no number.
    if (std::isfinite(report.loss)) event.loss = report.loss;
    if (std::isfinite(report.gradient_norm)) event.gradient_norm = report.gradient_norm;
    if (guard_.state().steps > 0) event.smoothed_loss = guard_.state().smoothed;
    if (report.skipped) event.skipped = true;
    event.rewards = rewards_of(report.rewards);
    return stage_.teller.tell(std::move(event));
  }

  Result<> write_result() {
    PUNA_CHECK(stage_.teller.phase("writing"));
    update_cursor();
    const auto best = guard_.state().best_step;
    const bool last_is_best = stage_.evaluation.empty() || !*plan_.settings.keep_best || best == cursor_.step;
    if (last_is_best) return tune::write_adapter(stage_.folder / kAdapter, stage_.materials.model(), trainer_.adapter());
    std::error_code error;
    fs::remove(stage_.folder / kAdapter, error);
    PUNA_CHECK(os::place_file(stage_.folder / kBest, stage_.folder / kAdapter));
    return {};
  }

  const Stage& stage_;
  const Plan& plan_;
  tune::Trainer& trainer_;
  Guard guard_;
  std::stop_token stop_;
  Cursor cursor_;
  std::int64_t saved_ = -1;
  double tokens_here_ = 0;  // since this process began to train
  steady_clock::time_point began_ = steady_clock::now();
  steady_clock::time_point counted_ = steady_clock::now();
};

}  // namespace

Interview interview_for(const Materials& materials, const Plan& plan) {
  return {
      materials.vocabulary(),
      materials.chat_template(),
      {.model = materials.order().load, .output_tokens = static_cast<std::size_t>(*plan.settings.output_tokens), .threads = plan.threads}};
}

Result<Trained> train(const Stage& stage, const std::stop_token& stop) {
  tune::Team team(stage.plan.threads);
  PUNA_TRY(auto trainer, tune::Trainer::create(stage.materials.model(), team, stage.plan.options));
  if (const auto* offload = trainer.pass().offload())
    for (const auto& text : offload->notes()) PUNA_CHECK(stage.teller.tell({.kind = TuneEventKind::note, .note = text}));
  Loop loop(stage, trainer, stop);
  PUNA_TRY(auto cursor, loop.run());
  return Trained{std::move(cursor), loop.ended()};
}

}  // namespace puna::trainer
