#include <fmt/format.h>

#include <limits>

#include "base/text.h"
#include "dataset/check.h"
#include "dataset/contents.h"
#include "dataset/dataset.h"
#include "dataset/detect.h"
#include "dataset/format.h"
#include "dataset/split.h"
#include "dataset/statistics.h"

namespace puna::dataset {
namespace {

constexpr std::size_t kSample = 256;  // rows that detection looks at
constexpr std::size_t kFewRows = 10;

Result<> check_options(std::span<const std::filesystem::path> paths, const Options& options) {
  if (paths.empty()) return fail(Code::invalid_argument, "no data: name at least one file");
  if (!(options.eval_fraction >= 0 && options.eval_fraction < 1))
    return fail(Code::invalid_argument, fmt::format("eval fraction: {:g} is out of range (0 to less than 1)", options.eval_fraction));
  if (options.eval_fraction > 0 && !options.evaluation.empty())
    return fail(Code::invalid_argument, "eval fraction: must be 0 when there are files for evaluation");
  if (options.longest_row.count == 0 || options.longest_row > gib(2))
    return fail(Code::invalid_argument, "longest row: out of range (1 byte to 2 GiB)");
  return {};
}

}  // namespace

// From files to a Dataset, step by step.
class Opening {
 public:
  explicit Opening(const Options& options) : options_(options), findings_(options.examples), contents_(std::make_unique<Contents>()) {}

  Result<Dataset> run(std::span<const std::filesystem::path> paths) {
    PUNA_CHECK(check_options(paths, options_));
    for (const auto& path : paths) PUNA_CHECK(open_file(path, false));
    for (const auto& path : options_.evaluation) PUNA_CHECK(open_file(path, true));
    PUNA_CHECK(check_rows_member());
    PUNA_CHECK(understand());
    for (std::size_t i = 0; i < contents_->files.size(); ++i) PUNA_CHECK(read_file(i));
    if (contents_->places.empty()) return fail(Code::invalid_argument, no_rows());
    find_doubles();
    divide();
    judge_whole();
    fill_report();
    return Dataset(std::move(contents_), purpose_, options_.bad_rows, std::move(report_), std::move(train_), std::move(evaluation_));
  }

 private:
  [[nodiscard]] ScanOptions scan_options() const { return {options_.longest_row, options_.stop, {}}; }

  Result<> open_file(const std::filesystem::path& path, bool evaluation) {
    PUNA_TRY(auto file, SourceFile::open(path, options_.unpack, options_.stop));
    wire::DatasetSource about;
    about.path = file.name();
    about.compressed = file.compressed();
    about.size = static_cast<std::int64_t>(file.size().count);
    about.evaluation = evaluation;
    PUNA_TRY(const auto digest, file.digest(options_.stop));
    about.digest = "sha256:" + digest;
    const FormatOptions format{options_.format, options_.mapping.rows, options_.documents, options_.unpack.folder};
    PUNA_TRY(auto layout, find_layout(file, format, scan_options(), about.notes));
    about.format = layout.format;
    total_ += file.text_end() - file.text_begin();
    contents_->files.push_back({std::move(file), std::move(layout), std::move(about)});
    return {};
  }

  // One that was given must be somebody's; one that was found is said.
  Result<> check_rows_member() {
    const auto of_object = [](const OpenFile& source) { return !source.layout.rows_member.empty(); };
    const auto found = std::ranges::find_if(contents_->files, of_object);
    if (found != contents_->files.end()) rows_member_ = found->layout.rows_member;
    if (!options_.mapping.rows || rows_member_) return {};
    return fail(Code::invalid_argument,
                fmt::format("mapping.rows: {} is no JSON object with rows in a member", contents_->files.front().file.name()));
  }

  // Which shape, from the first rows of each file.
  Result<> understand() {
    std::vector<json::object> sample;
    for (const auto& source : contents_->files) {
      std::size_t left = kSample / contents_->files.size() + 1;
      const auto take = [&](const RawRow& raw) -> Result<bool> {
        Problems ignored;  // they are found again when every row is read
        if (auto record = parse_row(source.layout, raw.bytes, ignored)) sample.push_back(std::move(*record));
        return --left > 0;
      };
      PUNA_CHECK(scan(source.file, source.layout, scan_options(), {take, [](std::uint64_t, const Problem&) {}}));
    }
    if (sample.empty()) {
      for (std::size_t i = 0; i < contents_->files.size(); ++i) PUNA_CHECK(read_file(i));  // for the places of what is wrong
      return fail(Code::invalid_argument, no_rows());
    }
    PUNA_TRY(report_.detection, detect(sample, {options_.mapping, options_.task, options_.method}));
    report_.detection.mapping.rows = rows_member_;
    const Shape shape = report_.detection.mapping.shape.value_or(Shape::text);
    PUNA_TRY(purpose_, purpose_of(shape, options_.task, options_.method));
    PUNA_TRY(report_.train_on, train_on_of(purpose_, options_.train_on));
    if (!options_.instruction.empty() && shape != Shape::summary && shape != Shape::squad)
      return fail(Code::invalid_argument, fmt::format("instruction: only documents with summaries and questions on a context have one; the "
                                                      "rows are {}",
                                                      spec_of(shape).summary));
    contents_->converter = Converter(report_.detection.mapping, {purpose_, report_.train_on, options_.instruction});
    return {};
  }

  [[nodiscard]] std::string no_rows() const {
    const auto found = findings_.list();
    if (found.empty()) return fmt::format("{}: holds no rows", contents_->files.front().file.name());
    const auto& place = found.front().examples.front();
    return fmt::format("no row can be used; the first trouble: {}, line {}{}: {}", place.file, place.line,
                       place.field ? ", field " + *place.field : "", place.message);
  }

  Result<> read_file(std::size_t index) {
    OpenFile& source = contents_->files[index];
    ScanOptions scanning = scan_options();
    if (options_.progress) scanning.progress = [&](std::uint64_t taken) { options_.progress(Bytes(done_ + taken), Bytes(total_)); };
    const auto problem = [&](std::uint64_t line, const Problem& found) {
      findings_.add(source.file.name(), line, found);
      ++source.about.unusable;
    };
    PUNA_CHECK(scan(source.file, source.layout, scanning, {[&](const RawRow& raw) { return take_row(index, raw); }, problem}));
    done_ += source.file.text_end() - source.file.text_begin();
    if (options_.progress) options_.progress(Bytes(done_), Bytes(total_));
    return {};
  }

  Result<bool> take_row(std::size_t index, const RawRow& raw) {
    OpenFile& source = contents_->files[index];
    Problems problems;
    const auto record = parse_row(source.layout, raw.bytes, problems);
    auto row = record ? contents_->converter.convert(*record, problems) : std::nullopt;
    RowPlace place{raw.offset, raw.length, static_cast<std::uint32_t>(raw.line), static_cast<std::uint32_t>(index)};
    if (row) {
      row->file = source.file.name();
      row->line = static_cast<std::int64_t>(raw.line);
      PUNA_CHECK(measure(*row, place, problems));
    }
    findings_.add(source.file.name(), raw.line, problems);
    if (!row || has_error(problems)) {
      ++source.about.unusable;
      return true;
    }
    if (contents_->places.size() >= std::numeric_limits<std::uint32_t>::max())
      return fail(Code::too_large, "more than four thousand million rows");
    ++source.about.rows;
    contents_->places.push_back(place);
    keys_.push_back({row_hash(*row), prompt_hash(*row)});
    if (row->label) ++(*row->label ? good_ : bad_);
    return true;
  }

  Result<> measure(const Row& row, RowPlace& place, Problems& problems) const {
    const std::size_t characters = characters_of(row);
    place.characters = static_cast<std::uint32_t>(characters);
    place.messages = static_cast<std::uint32_t>(messages_of(row));
    check_text(row, characters, options_.very_long, problems);
    if (!options_.count_tokens) return {};
    auto tokens = options_.count_tokens(row);
    if (!tokens) {
      if (tokens.error().code == Code::cancelled || tokens.error().code == Code::unavailable) return fail(std::move(tokens).error());
      problems.push_back({Kind::not_rendered, "", tokens.error().text()});
      return {};
    }
    place.tokens = static_cast<std::uint32_t>(*tokens);
    if (options_.max_tokens > 0 && *tokens > options_.max_tokens)
      problems.push_back({Kind::truncated, "", fmt::format("{} tokens, where {} is the most", *tokens, options_.max_tokens)});
    return {};
  }

  [[nodiscard]] bool for_evaluation(std::size_t row) const { return contents_->files[contents_->places[row].file].about.evaluation; }
  [[nodiscard]] std::string place_text(std::size_t row) const {
    const auto& place = contents_->places[row];
    return fmt::format("{}, line {}", contents_->files[place.file].file.name(), place.line);
  }
  void add_finding(Kind kind, std::size_t row, std::string message) {
    const auto& place = contents_->places[row];
    findings_.add(contents_->files[place.file].file.name(), place.line, Problem{kind, "", std::move(message)});
  }

  // Doubles within the rows that are trained, and within those for evaluation. Files for evaluation come last, so that the earlier of a
  // pair that has one of each is the trained one.
  void find_doubles() {
    std::vector<std::uint64_t> hashes(keys_.size());
    std::ranges::transform(keys_, hashes.begin(), &RowKey::row);
    left_out_.resize(keys_.size());
    for (const auto& pair : doubles(hashes)) {
      if (for_evaluation(pair.later) != for_evaluation(pair.earlier)) {
        add_finding(Kind::eval_overlap, pair.later, "equal to " + place_text(pair.earlier));
        continue;
      }
      add_finding(Kind::duplicate, pair.later, "equal to " + place_text(pair.earlier));
      left_out_[pair.later] = options_.duplicates == Duplicates::leave_out;
    }
    std::ranges::transform(keys_, hashes.begin(), &RowKey::prompt);
    for (const auto& pair : doubles(hashes))
      if (for_evaluation(pair.later) != for_evaluation(pair.earlier) && keys_[pair.later].row != keys_[pair.earlier].row)
        add_finding(Kind::eval_prompt_overlap, pair.later, "the prompt of " + place_text(pair.earlier));
  }

  void divide() {
    const bool own_files = !options_.evaluation.empty();
    auto split = split_rows(keys_, own_files ? 0 : options_.eval_fraction, options_.seed);
    report_.split = own_files ? "files of their own" : std::move(split.description);
    for (std::uint32_t row = 0; row < contents_->places.size(); ++row) {
      if (left_out_[row]) continue;
      (own_files ? for_evaluation(row) : split.evaluation[row]) ? evaluation_.push_back(row) : train_.push_back(row);
    }
  }

  void judge_whole() {
    const std::string& file = contents_->files.front().file.name();
    const auto add = [&](Kind kind, std::string message) { findings_.add(file, 1, Problem{kind, "", std::move(message)}); };
    if (train_.size() < kFewRows) add(Kind::few_rows, fmt::format("{} rows are trained", train_.size()));
    if (good_ + bad_ > 0 && (good_ == 0 || bad_ == 0))
      add(Kind::one_sided_labels, good_ == 0 ? "every label is bad" : "every label is good");
    if (options_.eval_fraction > 0 && evaluation_.empty()) add(Kind::eval_empty, "all rows are equal, or there is only one");
  }

  void fill_report() {
    report_.task = wire::task_name(purpose_.task);
    report_.method = wire::method_name(purpose_.method);
    auto& statistics = report_.statistics;
    std::vector<std::uint32_t> characters, tokens, messages;
    for (std::size_t row = 0; row < contents_->places.size(); ++row) {
      if (left_out_[row]) continue;
      const auto& place = contents_->places[row];
      characters.push_back(place.characters);
      messages.push_back(place.messages);
      if (options_.count_tokens) tokens.push_back(place.tokens);
    }
    statistics.rows = static_cast<std::int64_t>(characters.size());
    statistics.characters = lengths_of(std::move(characters));
    statistics.messages = lengths_of(std::move(messages));
    if (options_.count_tokens) statistics.tokens = lengths_of(std::move(tokens));
    statistics.train_rows = static_cast<std::int64_t>(train_.size());
    statistics.eval_rows = static_cast<std::int64_t>(evaluation_.size());
    statistics.duplicate_rows = findings_.count(Kind::duplicate);
    for (const auto& source : contents_->files) {
      statistics.unusable_rows += source.about.unusable;
      report_.sources.push_back(source.about);
    }
    report_.errors = findings_.count(wire::FindingSeverity::error);
    report_.warnings = findings_.count(wire::FindingSeverity::warning);
    report_.findings = findings_.list();
  }

  const Options& options_;
  Findings findings_;
  std::unique_ptr<Contents> contents_;
  wire::DatasetReport report_;
  Purpose purpose_;
  std::optional<std::string> rows_member_;
  std::vector<RowKey> keys_;  // one for each place
  std::vector<bool> left_out_;
  std::vector<std::uint32_t> train_, evaluation_;
  std::uint64_t done_ = 0, total_ = 0, good_ = 0, bad_ = 0;
};

Result<Dataset> open(std::span<const std::filesystem::path> paths, const Options& options) {
  return Opening(options).run(paths);
}

}  // namespace puna::dataset
