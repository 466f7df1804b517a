// What requests and workers did since the daemon's start, counted for the metrics page.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/units.h"
#include "metrics/text_page.h"
#include "wire/model.h"

namespace puna::metrics {

// One request at its end.
struct RequestEnd {
  std::string model;  // full name; empty when there was none
  std::string outcome;
  std::int64_t tokens_in = 0;
  std::int64_t tokens_cached = 0;
  std::int64_t tokens_out = 0;
  Milliseconds waited{0};
  std::optional<Milliseconds> first_token;
  double writing_ms = 0;  // from the first token to the last
  Milliseconds total{0};
};

// Models beyond a bound are counted as "other", so that names cannot fill the memory. Network thread.
class Recorder {
 public:
  void ended(const RequestEnd& end);
  // A change of a worker's state.
  void changed(const wire::RunningModel& worker);
  // A model made room for another one.
  void evicted(const std::string& name) { ++model(name).evictions; }
  void write(TextPage& page) const;

 private:
  struct Model {
    Model();
    std::map<std::string, std::uint64_t> requests;  // by outcome
    std::uint64_t tokens_in = 0, tokens_cached = 0, tokens_out = 0;
    std::uint64_t loads = 0, unloads = 0, evictions = 0;
    std::map<std::string, std::uint64_t> failures;  // by fault
    Histogram first_token, per_token, waited, total;
  };
  Model& model(const std::string& name);
  void write_counters(TextPage& page) const;
  void write_histograms(TextPage& page) const;

  std::map<std::string, Model> models_;
  std::map<std::pair<std::string, std::string>, wire::WorkerState> states_;  // by model and purpose
};

}  // namespace puna::metrics
