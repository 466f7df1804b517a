#include "quantize/run.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "model/library.h"
#include "os/file.h"
#include "os/place_file.h"
#include "os/sha256.h"
#include "quantize/child.h"
#include "quantize/order.h"
#include "quantize/source.h"
#include "quantize/survey.h"

namespace puna::quantize {
namespace {

// "smollm2-135m-q4_k_m.gguf" for smollm2:135m-q4_k_m: what it is called where others see it.
std::string file_name(std::string_view model) {
  std::string out(model.substr(model.rfind('/') + 1));
  std::ranges::replace(out, ':', '-');
  return out + ".gguf";
}

class Run {
 public:
  Run(const QuantizerParts& parts, jobs::JobContext& context, Order order, Source source, const WorkFolder& work)
      : parts_(parts), context_(context), order_(std::move(order)), source_(std::move(source)), work_(work) {}

  Result<wire::QuantizeResult> run() {
    phase("planning");
    PUNA_TRY(const auto survey, survey_of(parts_, source_, order_, work_, context_.stop()));
    PUNA_CHECK(parts_.require_space(parts_.folder, survey.size));
    PUNA_CHECK(quantize());
    phase("checking");
    PUNA_CHECK(child({"--try", work_.output().string()}, [](const wire::QuantizeLine&) {}));
    PUNA_TRY(const auto sha256, hash());
    phase("adding");
    PUNA_CHECK(place(sha256));
    return add(sha256);
  }

 private:
  void phase(std::string_view name) { context_.progress({.phase = std::string(name)}); }
  void report(std::string_view phase, Bytes done, Bytes total) {
    context_.progress({.done = static_cast<std::int64_t>(done.count),
                       .total = static_cast<std::int64_t>(total.count),
                       .unit = "bytes",
                       .phase = std::string(phase)});
  }

  Result<> child(std::vector<std::string> words, const std::function<void(const wire::QuantizeLine&)>& on_line) {
    return run_child({.program = parts_.program, .words = std::move(words), .log = work_.log()}, on_line, context_.stop());
  }

  Result<> quantize() {
    PUNA_TRY(auto words, quantize_words(parts_, source_, order_));
    words.insert(words.end(), {"--output", work_.output().string()});
    Bytes done, current;
    report("quantizing", done, source_.weights);
    const auto hear = [&](const wire::QuantizeLine& line) {
      if (!line.tensor && !line.finished) return;
      done += std::exchange(current, Bytes());
      if (const auto found = source_.tensors.find(line.tensor.value_or("")); found != source_.tensors.end()) current = found->second.size;
      report("quantizing", done, source_.weights);
    };
    return child(std::move(words), hear);
  }

  Result<std::string> hash() {
    PUNA_TRY(const auto file, os::open_regular_file(work_.output()));
    std::error_code error;
    const Bytes size(std::filesystem::file_size(work_.output(), error));
    if (error) return fail(errno_error(error.value(), "cannot look at the new file"));
    size_ = size;
    os::Sha256 hash;
    PUNA_CHECK(os::hash_file(hash, file.get(), Bytes(0), size, context_.stop(), [&](Bytes at) { report("hashing", at, size); }));
    return hash.hex();
  }

  Result<> place(const std::string& sha256) {
    PUNA_CHECK(require_free_name(parts_.library, order_.name));
    if (parts_.library.holds(sha256)) return {};
    PUNA_TRY(const auto blob, parts_.library.blob_path(sha256));
    const auto placed = os::place_file(work_.output(), blob, context_.stop());
    if (!placed && placed.error().code != Code::already_exists) return fail(placed.error());
    return {};
  }

  // Beside the new weights stand the model's other files: its projector, template, licence.
  Result<wire::QuantizeResult> add(const std::string& sha256) {
    const auto& model = source_.detail.model;
    model::NewModel added{.name = order_.name,
                          .files = {{.path = file_name(order_.name), .sha256 = sha256}},
                          .provenance = {.catalogue = "quantize", .repository = model.name, .filter = order_.level},
                          .recipe = source_.detail.recipe};
    if (!model.sha256.empty()) added.provenance.commit = model.sha256;
    for (const auto& file : source_.detail.files) {
      if (file.role == wire::FileRole::weights) continue;
      if (parts_.library.holds(file.sha256))
        added.files.push_back({.path = file.path, .role = file.role, .sha256 = file.sha256});
      else
        log::warning("quantize", "a file of the source stays with it", {{"model", model.name}, {"file", file.path}});
    }
    PUNA_CHECK(parts_.library.add(added));
    return wire::QuantizeResult{.name = order_.name,
                                .level = order_.level,
                                .sha256 = sha256,
                                .size = static_cast<std::int64_t>(size_.count),
                                .source_size = static_cast<std::int64_t>((source_.weights + source_.rest).count)};
  }

  const QuantizerParts& parts_;
  jobs::JobContext& context_;
  const Order order_;
  const Source source_;
  const WorkFolder& work_;
  Bytes size_;
};

}  // namespace

Result<json::value> run_job(const QuantizerParts& parts, jobs::JobContext& context) {
  PUNA_TRY(const auto order, json::decode<Order>(context.request()));
  PUNA_TRY(const auto* level, find_level(order.level));
  PUNA_TRY(auto source, read_source(parts.library, order.model));
  PUNA_CHECK(check_types(source, *level, order.requantize.value_or(false)));
  PUNA_TRY(const WorkFolder work, WorkFolder::create(parts.folder));
  auto result = Run(parts, context, order, std::move(source), work).run();
  if (!result) return fail(std::move(result.error()).within(fmt::format("{} to {}", order.model, order.level)));
  return json::encode(*result);
}

}  // namespace puna::quantize
