#include "training/run_job.h"

#include <fmt/format.h>

#include <chrono>

#include "base/settings_registry.h"
#include "model/library.h"
#include "model/take_in.h"
#include "training/base_model.h"
#include "training/card.h"
#include "training/child.h"

namespace puna::training {
namespace {

using std::chrono::steady_clock;
using wire::TuneEventKind;

constexpr Milliseconds kBetweenSteps{100};
constexpr std::string_view kCatalogue = "tune";

class Run {
 public:
  Run(const TuningParts& parts, const RunFolder& folder, jobs::JobContext& context, const std::function<void(wire::TuneEvent)>& on_event)
      : parts_(parts), folder_(folder), context_(context), on_event_(on_event) {}

  Result<wire::TuneResult> run() {
    PUNA_TRY(order_, folder_.order());
    PUNA_TRY(auto result, folder_.result());
    if (!result) {
      PUNA_CHECK(hold_base(parts_.library, order_, context_));
      order_.threads = parts_.settings.snapshot()->get(setting::kThreads);
      PUNA_CHECK(folder_.write(order_));
      PUNA_CHECK(train());
      PUNA_TRY(result, folder_.result());
    }
    if (!result) return fail(Code::internal, fmt::format("the trainer left no result in {}", folder_.path().string()));
    PUNA_CHECK(add_adapter(*result));
    PUNA_CHECK(folder_.write(*result));
    return std::move(*result);
  }

 private:
  Result<> train() {
    const Child child{.program = parts_.program, .words = {}, .folder = folder_};
    std::optional<Error> unsaved;
    const auto hear = [&](const wire::TuneEvent& event) {
      show(event);
      if (event.kind != TuneEventKind::checkpoint) return;
      // What the queue knows of a checkpoint is that there is progress; the checkpoint itself lies in the folder.
      if (auto saved = context_.save_checkpoint({{"step", event.step.value_or(0)}}); !saved) unsaved = std::move(saved).error();
    };
    PUNA_CHECK(run_child(child, hear, context_.stop()));
    if (unsaved && unsaved->code != Code::cancelled) return fail(std::move(*unsaved));
    return {};
  }

  void show(const wire::TuneEvent& event) {
    if (event.kind == TuneEventKind::failed || event.kind == TuneEventKind::finished) return;  // the job tells that
    if (event.kind == TuneEventKind::phase) phase_ = event.phase.value_or(phase_);
    report(event);
    const auto now = steady_clock::now();
    const bool is_last = event.step == event.steps;
    if (event.kind == TuneEventKind::step && !is_last && now - shown_ < kBetweenSteps) return;
    if (event.kind == TuneEventKind::step) shown_ = now;
    on_event_(event);
  }

  void report(const wire::TuneEvent& event) {
    wire::JobProgress progress{.unit = "steps", .phase = phase_};
    if (event.kind == TuneEventKind::step) {
      progress.done = event.step.value_or(0);
      progress.total = event.steps;
      progress.eta_seconds = event.eta_seconds;
      if (event.loss) progress.note = fmt::format("loss {:.3f}", event.smoothed_loss.value_or(*event.loss));
    } else if (event.kind == TuneEventKind::phase) {
      progress.done = event.done.value_or(0);
      progress.total = event.total;
      progress.unit = event.unit.value_or("steps");
    } else {
      return;
    }
    context_.progress(std::move(progress));
  }

  // Somebody may have given the name to another model meanwhile.
  Result<> require_name(const std::string& name) const {
    const auto found = parts_.library.find(name);
    if (!found) return found.error().code == Code::not_found ? Result<>() : fail(found.error());
    if (found->provenance.catalogue == kCatalogue && found->provenance.revision == name) return {};
    return fail(Code::conflict,
                fmt::format("there is another model {} by now: rename or remove it, then resume the run, which is trained", name));
  }

  Result<> add_adapter(wire::TuneResult& result) {
    PUNA_CHECK(require_name(order_.name));
    std::error_code error;
    const auto size = std::filesystem::file_size(folder_.adapter(), error);
    if (error) return fail(errno_error(error.value(), fmt::format("cannot look at {}", folder_.adapter().string())));
    const auto signed_size = static_cast<std::int64_t>(size);
    model::Reading reading(context_, "adding", signed_size);
    PUNA_TRY(
        auto file,
        model::take_in(
            parts_.library, reading,
            {.path = order_.name + ".gguf", .role = wire::FileRole::weights, .size = signed_size, .place = folder_.adapter().string()}));
    PUNA_TRY(const auto base, parts_.library.show(order_.request.model));
    result.adapter = order_.name;
    result.serves = fmt::format("{}+{}", order_.request.model, order_.name);
    PUNA_TRY(auto card, model::take_in_text(parts_.library, "README.md", wire::FileRole::card, make_card(order_, result, base)));
    PUNA_TRY(const auto added,
             parts_.library.add(
                 {.name = order_.name,
                  .files = {std::move(file), std::move(card)},
                  .provenance = {.catalogue = std::string(kCatalogue), .repository = order_.request.model, .revision = order_.name}}));
    result.adapter = added.name;
    return {};
  }

  const TuningParts& parts_;
  const RunFolder& folder_;
  jobs::JobContext& context_;
  const std::function<void(wire::TuneEvent)>& on_event_;
  wire::TuneOrder order_;
  std::string phase_ = "starting";
  steady_clock::time_point shown_;
};

}  // namespace

Result<wire::TuneResult> run_job(const TuningParts& parts, const RunFolder& folder, jobs::JobContext& context,
                                 const std::function<void(wire::TuneEvent)>& on_event) {
  return Run(parts, folder, context, on_event).run();
}

}  // namespace puna::training
