// Batches: created, watched, cancelled, and answered by a job of kind "batch" each.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/settings.h"
#include "batch/batch.h"
#include "batch/files.h"
#include "batch/table.h"
#include "jobs/queue.h"
#include "net/io.h"

namespace puna::batch {

// One line of a batch, as whoever answers requests is given it.
struct Request {
  std::string owner;
  std::string endpoint;
  std::string body;
  std::string id;            // for the log
  Milliseconds patience{0};  // until the batch expires
};
struct Answer {
  int status = 200;
  json::value body;
  std::optional<Error> error;  // unless status is 200
};
// Answers at low priority. Called and run on the network thread. Code::cancelled ends it.
using Answerer = std::function<net::Task<Result<Answer>>(Request)>;

struct CreateBatch {
  std::string owner;
  std::string endpoint;
  std::string input_file;
  std::string completion_window;
  json::object metadata;
  std::optional<std::int64_t> output_lifetime;  // seconds
};

// Thread-safe; blocks.
class Batches {
 public:
  Batches(net::Io& io, store::Database& database, Files& files, const SettingsStore& settings);
  Batches(const Batches&) = delete;
  Batches& operator=(const Batches&) = delete;

  // Before the queue starts.
  void answer_with(Answerer answerer) { answerer_ = std::move(answerer); }
  [[nodiscard]] jobs::JobSpec job_spec();
  // Once the queue runs: batches whose job is gone get another one.
  [[nodiscard]] Result<> resume(jobs::Queue& queue);

  // The error names the member. What the file says is judged by the job.
  [[nodiscard]] Result<Batch> create(jobs::Queue& queue, CreateBatch request);
  [[nodiscard]] Result<Batch> find(jobs::Queue& queue, std::string_view owner, std::string_view id);
  [[nodiscard]] Result<std::vector<Batch>> list(std::string_view owner) { return table_.list(owner); }
  // What is answered already is kept and put into the output. Code::conflict when the batch has ended.
  [[nodiscard]] Result<Batch> cancel(jobs::Queue& queue, std::string_view owner, std::string_view id);
  // Code::conflict while a batch reads the file.
  [[nodiscard]] Result<> remove_file(std::string_view owner, std::string_view id);

 private:
  [[nodiscard]] Result<json::value> run(jobs::JobContext& context);
  [[nodiscard]] Result<Batch> with_job(jobs::Queue& queue, Batch batch);

  net::Io& io_;
  Table table_;
  Files& files_;
  const SettingsStore& settings_;
  Answerer answerer_;
  std::mutex mutex_;                                 // guards what follows
  std::map<std::string, std::stop_source> running_;  // by batch: asked to stop when it is cancelled
};

}  // namespace puna::batch
