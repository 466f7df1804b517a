#include "batch/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <thread>
#include <vector>

#include "base/id.h"
#include "base/log.h"
#include "base/settings_registry.h"
#include "base/text.h"
#include "jobs/retry.h"
#include "net/on_network.h"

namespace puna::batch {
namespace {

constexpr int kMostFailures = 3;  // of one line, when the worker dies of it
constexpr Milliseconds kFirstPause{500};
constexpr Milliseconds kLongestPause{30'000};
constexpr std::int64_t kPage = 256;  // lines held in memory while the output is written

std::int64_t now() {
  return unix_seconds(std::chrono::system_clock::now());
}

std::string request_id() {
  return fmt::format("batch_req_{}", lower_ascii(new_ulid()));
}

std::int64_t count_member(const json::object& usage, std::string_view name) {
  const json::value* found = usage.if_contains(name);
  return found && found->is_number() ? found->to_number<std::int64_t>() : 0;
}

void add_tokens(const std::string& answer, TokenCounts& into) {
  const auto parsed = json::parse_object(answer);
  if (!parsed) return;
  boost::system::error_code missing;
  const json::value whole(*parsed);
  const json::value* usage = whole.find_pointer("/response/body/usage", missing);
  if (usage == nullptr || !usage->is_object()) return;
  const auto& counts = usage->get_object();
  into.input += count_member(counts, "prompt_tokens") + count_member(counts, "input_tokens");
  into.output += count_member(counts, "completion_tokens") + count_member(counts, "output_tokens");
}

}  // namespace

Run::Run(Parts parts, std::string batch, jobs::JobContext& context, std::stop_token stop)
    : parts_(parts), id_(std::move(batch)), context_(context), stop_(std::move(stop)) {}

Milliseconds Run::time_left() const {
  const auto left = WallTime(std::chrono::seconds(batch_.expires_at)) - std::chrono::system_clock::now();
  return std::max(Milliseconds(0), std::chrono::ceil<Milliseconds>(left));
}

Result<json::value> Run::run() {
  PUNA_TRY(batch_, parts_.table.find(id_));
  if (batch_.state == State::validating) PUNA_CHECK(validate());
  if (batch_.state == State::in_progress) {
    PUNA_CHECK(answer_lines());
    PUNA_TRY(batch_, parts_.table.find(id_));
    if (stop_.stop_requested() && batch_.state != State::cancelling) return fail(Code::cancelled, "asked to end");
  }
  if (!has_ended(batch_.state)) {
    PUNA_TRY(const auto state, end_state());
    PUNA_CHECK(finish(state));
  }
  log::info(
      "batch", "ended",
      {{"batch", id_}, {"state", json::enum_name(batch_.state)}, {"completed", batch_.counts.completed}, {"failed", batch_.counts.failed}});
  return json::object{{"batch", id_}, {"state", json::enum_name(batch_.state)}, {"counts", json::encode(batch_.counts)}};
}

Result<> Run::validate() {
  const auto file = parts_.files.find(batch_.owner, batch_.input_file);
  InputCheck check(batch_.endpoint);
  std::vector<LineError> errors;
  if (file) {
    PUNA_TRY(auto content, parts_.files.open_content(*file));
    InputReader reader(std::move(content), parts_.settings.snapshot()->get(setting::kMaxBody));
    while (true) {
      PUNA_CHECK(context_.go_on());
      auto line = reader.next();
      if (!line) {
        errors.push_back({.code = "line_too_long", .message = line.error().message});
        break;
      }
      if (!*line) break;
      check.take(**line);
    }
    const auto found = check.errors();
    errors.insert(errors.begin(), found.begin(), found.end());
  } else {
    errors.push_back({.code = "file_not_found", .message = file.error().message, .param = "input_file_id"});
  }
  PUNA_TRY(batch_, parts_.table.change(id_, [&](Batch& batch) -> Result<> {
    if (batch.state != State::validating) return {};  // cancelled meanwhile
    batch.errors = errors;
    batch.counts.total = check.lines();
    batch.model = check.model();
    batch.state = errors.empty() ? State::in_progress : State::failed;
    (errors.empty() ? batch.in_progress_at : batch.failed_at) = now();
    return {};
  }));
  return {};
}

Result<> Run::answer_lines() {
  PUNA_TRY(answered_, parts_.table.answered(id_));
  PUNA_TRY(const auto file, parts_.files.find(batch_.owner, batch_.input_file));
  PUNA_TRY(auto content, parts_.files.open_content(file));
  reader_ = std::make_unique<InputReader>(std::move(content), parts_.settings.snapshot()->get(setting::kMaxBody));
  tell();
  const std::stop_callback ended_from_outside(stop_, [this] { ending_.request_stop(); });
  std::vector<Result<>> outcomes(static_cast<std::size_t>(parts_.settings.snapshot()->get(setting::kParallelLines)));
  {
    std::vector<std::jthread> threads;
    for (auto& outcome : outcomes)
      threads.emplace_back([this, &outcome] {
        outcome = work();
        if (!outcome) ending_.request_stop();
      });
  }
  if (stop_.stop_requested()) return {};
  for (const auto& outcome : outcomes)
    if (!outcome && outcome.error().code != Code::cancelled) return outcome;
  return {};
}

Result<> Run::work() {
  while (!ending_.stop_requested() && time_left() > Milliseconds(0)) {
    PUNA_TRY(const auto line, next_line());
    if (!line) return {};
    PUNA_TRY(const auto answered, answer(*line));
    if (!answered) continue;  // it expired on its way
    PUNA_CHECK(parts_.table.add_line(id_, *answered));
    const std::lock_guard lock(mutex_);
    answered_.insert(line->number);
    (answered->failed ? batch_.counts.failed : batch_.counts.completed)++;
    tell();
  }
  return {};
}

Result<std::optional<InputLine>> Run::next_line() {
  const std::lock_guard lock(mutex_);
  while (true) {
    PUNA_TRY(auto line, reader_->next());
    if (!line || !answered_.contains(line->number)) return line;
  }
}

Result<std::optional<AnsweredLine>> Run::answer(const InputLine& line) {
  const auto entry = read_entry(line, batch_.endpoint);
  if (!entry) return fail(Code::conflict, fmt::format("line {} of the input has changed: {}", line.number, entry.error().message));
  const std::string id = request_id();
  PUNA_TRY(const auto answer, ask({.owner = batch_.owner, .endpoint = batch_.endpoint, .body = json::to_text(entry->body), .id = id}));
  if (answer.error && time_left() == Milliseconds(0)) return std::nullopt;
  const json::object response{{"status_code", answer.status}, {"request_id", id}, {"body", answer.body}};
  const json::object out{{"id", id}, {"custom_id", entry->custom_id}, {"response", response}, {"error", nullptr}};
  return AnsweredLine{.line = line.number, .failed = answer.error.has_value(), .answer = json::to_text(out)};
}

// A full queue is waited for as long as there is time; a worker that dies is tried again a few times.
Result<Answer> Run::ask(Request request) {
  Milliseconds wait = kFirstPause;
  for (int failures = 0;; wait = std::min(2 * wait, kLongestPause)) {
    request.patience = time_left();
    auto answer = net::on_network<Answer>(
        parts_.io, "a batch's line", [answerer = parts_.answerer, request]() -> net::Task<Result<Answer>> { return answerer(request); },
        ending_.get_token());
    PUNA_CHECK(answer);
    if (!answer->error || !jobs::may_pass(answer->error->code) || time_left() == Milliseconds(0)) return answer;
    const bool busy = answer->error->code == Code::overloaded || answer->error->code == Code::unavailable;
    if (!busy && ++failures == kMostFailures) return answer;
    PUNA_CHECK(pause(std::max(wait, answer->error->retry_after.value_or(Milliseconds(0)))));
  }
}

Result<> Run::pause(Milliseconds time) const {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  const auto token = ending_.get_token();
  never.wait_for(lock, token, std::min(time, time_left()), [&] { return token.stop_requested(); });
  return token.stop_requested() ? fail(Code::cancelled, "asked to end") : Result<>{};
}

void Run::tell() {
  context_.progress(
      {.done = static_cast<std::int64_t>(answered_.size()), .total = batch_.counts.total, .unit = "requests", .phase = "answering"});
}

Result<State> Run::end_state() {
  if (batch_.cancelling_at) return State::cancelled;
  PUNA_TRY(const auto answered, parts_.table.answered(id_));
  return static_cast<std::int64_t>(answered.size()) < batch_.counts.total ? State::expired : State::completed;
}

Result<> Run::finish(State state) {
  PUNA_TRY(batch_, parts_.table.change(id_, [&](Batch& batch) -> Result<> {
    if (has_ended(batch.state)) return fail(Code::cancelled, "the batch was cancelled before it began");
    if (batch.state != State::cancelling) batch.state = State::finalizing;
    batch.finalizing_at = now();
    return {};
  }));
  PUNA_TRY(auto output, parts_.files.begin(batch_.owner));
  PUNA_TRY(auto errors, parts_.files.begin(batch_.owner));
  TokenCounts tokens;
  PUNA_CHECK(write_answers(output, errors, tokens));
  if (state == State::expired) PUNA_CHECK(write_expired(errors));
  std::vector<File> files;
  const auto keep = [&](Files::Upload upload, std::string_view what, std::optional<std::string>& into) -> Result<> {
    if (upload.bytes() == 0) return {};
    std::optional<Milliseconds> lifetime;
    if (batch_.output_lifetime) lifetime = std::chrono::seconds(*batch_.output_lifetime);
    PUNA_TRY(auto file,
             parts_.files.keep_content(
                 std::move(upload), {.filename = fmt::format("{}_{}.jsonl", id_, what), .purpose = "batch_output", .lifetime = lifetime}));
    into = file.id;
    files.push_back(std::move(file));
    return {};
  };
  std::optional<std::string> output_file, error_file;
  PUNA_CHECK(keep(std::move(output), "output", output_file));
  PUNA_CHECK(keep(std::move(errors), "error", error_file));
  PUNA_TRY(batch_, parts_.table.end(id_, [&](store::Transaction& tx, Batch& batch) -> Result<> {
    for (const auto& file : files) PUNA_CHECK(Files::insert(tx, file));
    batch.state = state;
    batch.tokens = tokens;
    batch.output_file = output_file;
    batch.error_file = error_file;
    if (state == State::expired) batch.counts.failed = batch.counts.total - batch.counts.completed;
    (state == State::completed ? batch.completed_at : state == State::expired ? batch.expired_at : batch.cancelled_at) = now();
    return {};
  }));
  return {};
}

Result<> Run::write_answers(Files::Upload& output, Files::Upload& errors, TokenCounts& tokens) {
  std::int64_t last = 0;
  while (true) {
    PUNA_CHECK(context_.go_on());
    PUNA_TRY(const auto lines, parts_.table.lines_after(id_, last, kPage));
    if (lines.empty()) return {};
    for (const auto& line : lines) {
      PUNA_CHECK((line.failed ? errors : output).write(line.answer + "\n"));
      add_tokens(line.answer, tokens);
      last = line.line;
    }
  }
}

Result<> Run::write_expired(Files::Upload& errors) {
  PUNA_TRY(const auto answered, parts_.table.answered(id_));
  PUNA_TRY(const auto file, parts_.files.find(batch_.owner, batch_.input_file));
  PUNA_TRY(auto content, parts_.files.open_content(file));
  InputReader reader(std::move(content), parts_.settings.snapshot()->get(setting::kMaxBody));
  while (true) {
    PUNA_TRY(const auto line, reader.next());
    if (!line) return {};
    const auto entry = read_entry(*line, batch_.endpoint);
    if (!entry || answered.contains(line->number)) continue;
    const json::object error{{"code", "batch_expired"}, {"message", "the time of the batch had passed before this request was answered"}};
    const json::object out{{"id", request_id()}, {"custom_id", entry->custom_id}, {"response", nullptr}, {"error", error}};
    PUNA_CHECK(errors.write(json::to_text(out) + "\n"));
  }
}

}  // namespace puna::batch
