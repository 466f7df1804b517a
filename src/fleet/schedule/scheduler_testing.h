// For tests: a scheduler whose clock the test turns, and whose decisions are kept.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "fleet/schedule/scheduler.h"

namespace puna::fleet::testing {

inline ModelKey key(const std::string& name) {
  return {name, Purpose::generate};
}

struct AskOptions {
  std::string client = "someone";
  double weight = 1;
  Priority priority = Priority::normal;
  std::optional<Milliseconds> max_wait = {};
  Staging staging = Staging::never;
};

// Of a request that may go to its worker before its slot.
inline AskOptions stageable(std::string client = "someone", Priority priority = Priority::normal) {
  return {.client = std::move(client), .priority = priority, .staging = Staging::allowed};
}

class Desk {
 public:
  explicit Desk(SchedulerLimits limits = {}) : scheduler(limits) {}

  // What loading a model of that name takes.
  void model(const std::string& name, Bytes weights, bool pinned = false);
  void capacity(Bytes bytes) { note(scheduler.budget({.capacity = {{kSystemMemory, bytes}}, .total = bytes + bytes}, now)); }
  RequestId ask(const std::string& model, const AskOptions& options = {});
  // Asks, and the model is loaded at once.
  RequestId ask_and_load(const std::string& model, std::int64_t slots = 4, const AskOptions& options = {});
  void loaded(const std::string& model, std::int64_t slots = 4) { note(scheduler.loaded(key(model), slots, now, Staging::allowed)); }
  void ended(const std::string& model, const std::optional<Error>& error = {}) { note(scheduler.ended(key(model), error, now)); }
  void release(RequestId id) { note(scheduler.release(id, now)); }
  void pass(Milliseconds time) {
    now += time;
    note(scheduler.advance(now));
  }
  void note(const Effects& effects);

  [[nodiscard]] bool is_granted(RequestId id) const { return granted.contains(id); }
  [[nodiscard]] std::string refusal(RequestId id) const { return refused.contains(id) ? refused.at(id).message : ""; }
  // Loads and stops in their order: "+a", "-a".
  [[nodiscard]] std::vector<std::string> moves() const { return moves_; }

  Scheduler scheduler;
  MonotonicTime now{std::chrono::hours(1)};
  std::map<std::string, ModelTerms> terms;
  std::set<RequestId> granted;  // ever
  std::map<RequestId, Error> refused;
  std::vector<RequestId> order;  // of grants
  std::vector<RequestId> staged;

 private:
  RequestId last_ = 0;
  std::vector<std::string> moves_;
};

inline void Desk::model(const std::string& name, Bytes weights, bool pinned) {
  terms[name] = {.launch = 1, .need = {.weights = weights, .slots = 4, .context_length = 4096}, .pinned = pinned};
}

inline RequestId Desk::ask(const std::string& model, const AskOptions& options) {
  Ask ask{++last_, key(model), {options.client, options.weight}, options.priority, {}, options.staging};
  if (options.max_wait) ask.deadline = now + *options.max_wait;
  note(scheduler.ask(ask, terms[model], now));
  return ask.id;
}

inline RequestId Desk::ask_and_load(const std::string& model, std::int64_t slots, const AskOptions& options) {
  const RequestId id = ask(model, options);
  loaded(model, slots);
  return id;
}

inline void Desk::note(const Effects& effects) {
  for (const auto& effect : effects) {
    if (const auto* load = std::get_if<LoadModel>(&effect)) moves_.push_back("+" + load->model.first);
    if (const auto* stop = std::get_if<StopModel>(&effect)) moves_.push_back("-" + stop->model.first);
    if (const auto* stage = std::get_if<Stage>(&effect)) staged.push_back(stage->request);
    if (const auto* grant = std::get_if<Grant>(&effect)) {
      granted.insert(grant->request);
      order.push_back(grant->request);
    }
    if (const auto* refuse = std::get_if<Refuse>(&effect)) refused[refuse->request] = refuse->error;
  }
}

}  // namespace puna::fleet::testing
