#include "trainer/run.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "os/disk.h"
#include "trainer/loop.h"
#include "trainer/measure.h"
#include "trainer/story.h"

namespace puna::trainer {
namespace {

namespace fs = std::filesystem;
using wire::TuneEventKind;

// Base and tuned model on rows that were not trained. That they cannot be asked is no reason to lose what was trained.
Result<wire::TuneReport> compare(const Stage& stage, const std::stop_token& stop) {
  const auto& [folder, materials, units, plan, evaluation, checkpoints, teller] = stage;
  wire::TuneReport out{.rows = evaluation.rows()};
  std::vector<std::uint32_t> which;
  for (const auto row : evaluation.data_rows())
    if (std::ranges::find(which, row) == which.end() && std::ssize(which) < *plan.settings.outputs) which.push_back(row);
  if (which.empty()) return out;
  const auto total = 2 * std::ssize(which);
  PUNA_CHECK(teller.phase("comparing", 0, total, "answers"));
  std::optional<Error> untold;
  const auto told = [&](std::size_t done) {
    if (auto said = teller.phase("comparing", static_cast<std::int64_t>(done), total, "answers"); !said) untold = std::move(said).error();
  };
  const auto compared = interview_for(materials, plan).compare(materials.data().evaluation(), which, folder / kAdapter, out, stop, told);
  if (untold) return fail(std::move(*untold));
  if (compared || compared.error().code == Code::cancelled)
    return compared ? Result<wire::TuneReport>(std::move(out)) : fail(compared.error());
  PUNA_CHECK(teller.tell({.kind = TuneEventKind::note, .note = "the models' answers could not be compared: " + compared.error().text()}));
  return wire::TuneReport{.rows = evaluation.rows()};
}

// What was found out is kept before the first step, so that a run that goes on does the same.
Result<wire::TuneOrder> settle(const fs::path& folder, const Materials& materials, const Plan& plan) {
  auto order = materials.order();
  if (order.settings) return order;
  order.settings = plan.settings;
  order.data = materials.data().report().sources;
  PUNA_CHECK(write_order(folder, order));
  return order;
}

}  // namespace

Result<> run(const fs::path& folder, const std::stop_token& stop) {
  PUNA_TRY(const auto given, read_order(folder));
  Teller preparing;
  PUNA_TRY(const auto materials, Materials::open(given, folder, preparing, stop));
  Units units(materials->data().rows(), materials->renderer(), materials->method(), materials->context());
  Units held_out(materials->data().evaluation(), materials->renderer(), materials->method(), materials->context());
  PUNA_TRY(const auto plan, make_plan(*materials, units, held_out));
  PUNA_TRY(const auto evaluation, Evaluation::create(held_out, plan, materials->method()));
  PUNA_TRY(const auto order, settle(folder, *materials, plan));
  PUNA_TRY(auto identity, identity_of(order));
  Checkpoints checkpoints(folder, std::move(identity), *plan.settings.keep_checkpoints);
  PUNA_TRY(auto teller, Teller::open(folder, checkpoints.newest().value_or(-1)));

  PUNA_TRY(auto estimate, estimate_of(*materials, units, held_out, plan, Bytes(static_cast<std::uint64_t>(memory_now()))));
  PUNA_CHECK(require_memory(estimate));
  PUNA_CHECK(os::require_disk_space(folder, Bytes(static_cast<std::uint64_t>(estimate.disk))));
  PUNA_CHECK(teller.tell({.kind = TuneEventKind::estimate, .estimate = std::move(estimate)}));

  const Stage stage{folder, *materials, units, plan, evaluation, checkpoints, teller};
  const auto trained = train(stage, stop);
  if (!trained) return fail(trained.error());
  PUNA_TRY(auto report, compare(stage, stop));
  PUNA_CHECK(write_story(
      folder, {.materials = *materials, .plan = plan, .cursor = trained->cursor, .ended = trained->ended, .report = std::move(report)}));
  checkpoints.clear();
  std::error_code error;
  fs::remove(folder / kBest, error);
  return {};
}

}  // namespace puna::trainer
