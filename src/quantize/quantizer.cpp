#include "quantize/quantizer.h"

#include <fmt/format.h>

#include <system_error>

#include "base/log.h"
#include "base/text.h"
#include "model/name.h"
#include "os/disk.h"
#include "os/file.h"
#include "quantize/default_name.h"
#include "quantize/order.h"
#include "quantize/run.h"
#include "quantize/source.h"
#include "quantize/survey.h"

namespace puna::quantize {
namespace {

constexpr std::string_view kKind = "quantize";

std::string title_of(const json::value& request) {
  const auto order = json::decode<Order>(request);
  return order ? fmt::format("quantize {} to {}", order->model, order->level) : "quantize";
}

Result<> check_importance_file(const std::optional<std::string>& file) {
  if (!file) return {};
  if (!std::filesystem::path(*file).is_absolute())
    return fail(Code::invalid_argument, fmt::format("imatrix: '{}' is no absolute path", printable(*file)));
  const auto opened = os::open_regular_file(*file);
  if (!opened) return fail(Error(opened.error()).within("imatrix"));
  return {};
}

Result<std::string> choose_name(model::Library& library, const Source& source, const Level& level, const wire::QuantizeRequest& request) {
  const auto& model = source.detail.model;
  PUNA_TRY(const auto own, model::Name::parse(model.name));
  model::Name name = default_name(own, model.details.quantization, level.name);
  if (request.name) {
    PUNA_TRY(name, model::Name::parse(*request.name));
  }
  PUNA_CHECK(require_free_name(library, name.text()));
  return name.text();
}

struct Prepared {
  Source source;
  Order order;
};

Result<Prepared> prepare(model::Library& library, std::string_view model, const wire::QuantizeRequest& request) {
  PUNA_TRY(const auto* level, find_level(request.level));
  PUNA_CHECK(check_importance_file(request.imatrix));
  if (level->needs_imatrix && !request.imatrix)
    return fail(Code::invalid_argument,
                fmt::format("{} needs an importance matrix, without which nothing sensible would be left: give one with --imatrix, or take "
                            "a larger level",
                            level->name));
  Prepared out;
  PUNA_TRY(out.source, read_source(library, model));
  const bool requantize = request.requantize.value_or(false);
  PUNA_CHECK(check_types(out.source, *level, requantize));
  out.order = {.model = out.source.detail.model.name, .level = std::string(level->name), .name = {}, .imatrix = request.imatrix};
  if (requantize) out.order.requantize = true;
  PUNA_TRY(out.order.name, choose_name(library, out.source, *level, request));
  return out;
}

}  // namespace

Quantizer::Quantizer(QuantizerParts parts) : parts_(std::move(parts)) {
  std::error_code error;
  std::filesystem::remove_all(parts_.folder, error);
  if (error) log::warning("quantize", "leftovers cannot be removed", {{"folder", parts_.folder.string()}, {"error", error.message()}});
}

jobs::JobSpec Quantizer::job_spec() {
  return {.kind = kKind, .title = title_of, .run = [this](jobs::JobContext& context) { return run_job(parts_, context); }};
}

Result<wire::QuantizeLevels> Quantizer::levels(std::string_view model) {
  std::optional<std::int64_t> parameters;
  if (!model.empty()) {
    PUNA_TRY(const auto found, parts_.library.find(model));
    parameters = found.details.parameters;
  }
  wire::QuantizeLevels out;
  for (const auto& level : quantize::levels()) {
    wire::QuantizeLevel row{.name = std::string(level.name),
                            .bits_per_weight = level.bits_per_weight,
                            .needs_imatrix = level.needs_imatrix,
                            .advice = std::string(level.advice)};
    if (parameters) row.size = static_cast<std::int64_t>(expected_size(level, *parameters).count);
    out.levels.push_back(std::move(row));
  }
  return out;
}

Result<wire::QuantizePlan> Quantizer::plan(std::string_view model, const wire::QuantizeRequest& request) {
  PUNA_TRY(const auto prepared, prepare(parts_.library, model, request));
  PUNA_TRY(const auto* level, find_level(prepared.order.level));
  PUNA_TRY(const WorkFolder work, WorkFolder::create(parts_.folder));
  PUNA_TRY(const auto survey, survey_of(parts_, prepared.source, prepared.order, work, {}));
  PUNA_TRY(const auto space, os::disk_space(parts_.folder));
  return wire::QuantizePlan{.model = prepared.order.model,
                            .name = prepared.order.name,
                            .level = prepared.order.level,
                            .source_size = static_cast<std::int64_t>(prepared.source.weights.count),
                            .size = static_cast<std::int64_t>(survey.size.count),
                            .tensors = static_cast<std::int64_t>(prepared.source.tensors.size()),
                            .fallbacks = survey.fallbacks,
                            .free_bytes = static_cast<std::int64_t>(space.available.count),
                            .advice = std::string(level->advice)};
}

Result<wire::Job> Quantizer::submit(jobs::Queue& queue, std::string_view model, const wire::QuantizeRequest& request) {
  PUNA_TRY(const auto prepared, prepare(parts_.library, model, request));
  auto stored = json::encode(prepared.order);
  const auto key = json::to_text(stored);
  return queue.submit(kKind, std::move(stored), key);
}

}  // namespace puna::quantize
