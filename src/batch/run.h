// One job's work on a batch: judge the input, answer its lines, write the output. Each step goes on where a crash or a pause left it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>

#include "batch/batches.h"
#include "batch/input.h"

namespace puna::batch {

class Run {
 public:
  struct Parts {
    net::Io& io;
    Table& table;
    Files& files;
    const SettingsStore& settings;
    const Answerer& answerer;
  };
  // `stop`: the job is asked to end, or the batch is cancelled.
  Run(Parts parts, std::string batch, jobs::JobContext& context, std::stop_token stop);

  // Code::cancelled leaves the batch for a later run.
  [[nodiscard]] Result<json::value> run();

 private:
  [[nodiscard]] Result<> validate();
  [[nodiscard]] Result<> answer_lines();
  [[nodiscard]] Result<> work();  // one of several threads
  [[nodiscard]] Result<std::optional<InputLine>> next_line();
  [[nodiscard]] Result<std::optional<AnsweredLine>> answer(const InputLine& line);  // nothing: its time has passed
  [[nodiscard]] Result<Answer> ask(Request request);
  [[nodiscard]] Result<> pause(Milliseconds time) const;
  [[nodiscard]] Result<State> end_state();
  [[nodiscard]] Result<> finish(State state);
  [[nodiscard]] Result<> write_answers(Files::Upload& output, Files::Upload& errors, TokenCounts& tokens);
  [[nodiscard]] Result<> write_expired(Files::Upload& errors);
  void tell();
  [[nodiscard]] Milliseconds time_left() const;

  Parts parts_;
  Batch batch_;
  const std::string id_;
  jobs::JobContext& context_;
  const std::stop_token stop_;

  std::mutex mutex_;  // guards what follows, while several threads answer
  std::unique_ptr<InputReader> reader_;
  std::set<std::int64_t> answered_;
  std::stop_source ending_;  // from outside, or by the failure of one thread
};

}  // namespace puna::batch
