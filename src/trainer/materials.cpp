#include "trainer/materials.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "os/file.h"
#include "trainer/units.h"
#include "wire/training.h"
#include "wire/tune_schema.h"

namespace puna::trainer {
namespace {

namespace fs = std::filesystem;

constexpr Bytes kLargestOrder = mib(64);
constexpr std::int64_t kDocumentContext = 1024;  // of pretraining, where rows have no length of their own

std::vector<fs::path> paths_of(const std::vector<std::string>& files) {
  return {files.begin(), files.end()};
}

const wire::TuneSettings& given(const wire::TuneOrder& order) {
  static const wire::TuneSettings kNone;
  if (order.settings) return *order.settings;
  return order.request.settings ? *order.request.settings : kNone;
}

Result<dataset::Options> dataset_options(const wire::TuneOrder& order, const fs::path& folder) {
  const auto& request = order.request;
  const auto& settings = given(order);
  dataset::Options out;
  if (settings.task) {
    PUNA_TRY(out.task, wire::parse_task(*settings.task));
  }
  if (settings.method) {
    PUNA_TRY(out.method, wire::parse_method(*settings.method));
  }
  out.mapping = request.mapping.value_or(wire::DatasetMapping{});
  out.format = request.format;
  if (request.documents == wire::TuneDocuments::whole_file) out.documents = dataset::TextDocuments::whole_file;
  out.train_on = settings.train_on;
  out.instruction = settings.instruction.value_or("");
  if (request.evaluation) out.evaluation = paths_of(*request.evaluation);
  const auto fraction = wire::default_value("eval_fraction").to_number<double>();
  out.eval_fraction = out.evaluation.empty() ? settings.eval_fraction.value_or(fraction) : 0;
  out.seed = static_cast<std::uint64_t>(settings.seed.value_or(wire::default_value("seed").to_number<std::int64_t>()));
  out.bad_rows = settings.bad_rows == wire::TuneBadRows::leave_out ? dataset::BadRows::leave_out : dataset::BadRows::refuse;
  out.duplicates = settings.duplicates == wire::TuneDuplicates::leave_out ? dataset::Duplicates::leave_out : dataset::Duplicates::keep;
  out.unpack.folder = folder;
  return out;
}

std::function<void(Bytes, Bytes)> progress_of(Teller& teller, std::string phase) {
  return [&teller, phase = std::move(phase)](Bytes done, Bytes total) {
    // ignored: how far the reading is may go untold; what must not be lost is told elsewhere
    if (!teller.phase(phase, static_cast<std::int64_t>(done.count), static_cast<std::int64_t>(total.count), "bytes")) return;
  };
}

// What the run was begun with.
Result<> require_same(const wire::TuneOrder& order, const dataset::Dataset& rows) {
  if (!order.data) return {};
  const auto& now = rows.report().sources;
  const auto changed = [&](const std::string& file) {
    return fail(Code::conflict,
                fmt::format("{} has changed since run {} began: put back what it was, or start a new run", file, order.name));
  };
  for (std::size_t i = 0; i < std::max(now.size(), order.data->size()); ++i) {
    if (i >= now.size()) return changed((*order.data)[i].path);
    if (i >= order.data->size() || now[i].digest != (*order.data)[i].digest) return changed(now[i].path);
  }
  return {};
}

}  // namespace

Result<wire::TuneOrder> read_order(const fs::path& folder) {
  PUNA_TRY(const auto text, os::read_file(folder / "run.json", kLargestOrder));
  auto out = json::decode_text<wire::TuneOrder>(text, json::Unknown::ignore);
  if (!out) return fail(Code::corrupt_data, fmt::format("{}: {}", (folder / "run.json").string(), out.error().message));
  return out;
}

Result<> write_order(const fs::path& folder, const wire::TuneOrder& order) {
  return os::write_file_atomic(folder / "run.json", json::pretty(json::encode(order)));
}

Result<tune::Model> open_base(const wire::TuneOrder& order) {
  std::vector<fs::path> files;
  for (const auto& file : order.base) files.emplace_back(file.path);
  auto out = tune::Model::open(files);
  if (!out) return fail(std::move(out.error()).within(fmt::format("{} cannot be trained", order.request.model)));
  return out;
}

Result<dataset::Dataset> open_rows(const wire::TuneOrder& order, const fs::path& folder, Teller& teller, const std::stop_token& stop) {
  PUNA_TRY(auto options, dataset_options(order, folder));
  options.stop = stop;
  options.progress = progress_of(teller, "reading");
  PUNA_TRY(auto out, dataset::open(paths_of(order.request.data), options));
  PUNA_CHECK(out.usable());
  PUNA_CHECK(require_same(order, out));
  return out;
}

Result<wire::TuneSettings> settings_for(const wire::TuneOrder& order, const dataset::Dataset& rows) {
  auto settings = given(order);
  if (order.request.evaluation && !order.request.evaluation->empty()) settings.eval_fraction = 0;
  PUNA_TRY(auto out, wire::complete(settings, rows.purpose().task, rows.purpose().method));
  if (rows.purpose().method == wire::TuneMethod::sft) out.train_on = rows.report().train_on;
  return out;
}

Result<std::unique_ptr<Materials>> Materials::open(const wire::TuneOrder& order, const fs::path& folder, Teller& teller,
                                                   const std::stop_token& stop) {
  PUNA_TRY(auto model, open_base(order));
  PUNA_TRY(const auto rows, open_rows(order, folder, teller, stop));
  PUNA_TRY(auto settings, settings_for(order, rows));
  PUNA_TRY(auto vocabulary, inference::Vocabulary::open(order.load));
  PUNA_TRY(auto chat_template, inference::ChatTemplate::create(vocabulary, order.chat_template.value_or("")));
  auto out = std::unique_ptr<Materials>(new Materials(folder, order, std::move(settings), rows.purpose().method, std::move(model),
                                                      std::move(vocabulary), std::move(chat_template)));
  PUNA_CHECK(out->count(teller, stop));
  return out;
}

Result<> Materials::count(Teller& teller, const std::stop_token& stop) {
  const auto most = static_cast<std::int64_t>(model_.shape().context);
  if (settings_.context && most > 0 && *settings_.context > most)
    return fail(Code::invalid_argument, fmt::format("context is {}, but {} was made for {} tokens; set at most that", *settings_.context,
                                                    order_.request.model, most));
  RowOptions row_options{.method = method_,
                         .train_on = settings_.train_on.value_or(wire::TrainOn::completion),
                         .max_tokens = static_cast<std::size_t>(settings_.context.value_or(most))};
  const RowRenderer conversations(vocabulary_, template_, row_options);
  row_options.max_tokens = 0;
  const RowRenderer documents(vocabulary_, template_, row_options);
  PUNA_TRY(auto options, dataset_options(order_, folder_));
  options.method = method_;
  options.stop = stop;
  options.progress = progress_of(teller, "counting");
  options.count_tokens = counter_of(conversations, documents);
  if (method_ != wire::TuneMethod::pretrain) options.max_tokens = static_cast<std::size_t>(settings_.context.value_or(most));
  PUNA_TRY(data_, dataset::open(paths_of(order_.request.data), options));
  PUNA_CHECK(data_->usable());
  choose_context();
  row_options.max_tokens = static_cast<std::size_t>(*settings_.context);
  renderer_ = std::make_unique<RowRenderer>(vocabulary_, template_, row_options);
  return {};
}

// The longest row, as far as the model goes.
void Materials::choose_context() {
  if (settings_.context) return;
  std::int64_t longest = 8;
  const auto look = [&](const dataset::Rows& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) longest = std::max(longest, static_cast<std::int64_t>(rows.tokens(i)));
  };
  look(data_->rows());
  look(data_->evaluation());
  if (const auto most = static_cast<std::int64_t>(model_.shape().context); most > 0) longest = std::min(longest, most);
  if (method_ == wire::TuneMethod::pretrain) longest = std::min(longest, kDocumentContext);
  settings_.context = longest;
}

}  // namespace puna::trainer
