// The folder of one run.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "wire/tune.h"
#include "wire/tune_order.h"

namespace puna::training {

// What became of a run, for when the queue remembers its job no longer. state.json.
struct RunState {
  wire::JobState state = wire::JobState::queued;
  std::string updated_at;
  std::optional<wire::JobFailure> failure;
};
BOOST_DESCRIBE_STRUCT(RunState, (), (state, updated_at, failure))

class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}
  // Code::already_exists.
  [[nodiscard]] Result<> require_absent() const;
  // Takes its place, which is free.
  [[nodiscard]] Result<> become(const RunFolder& other) const;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path log() const { return path_ / "log"; }
  [[nodiscard]] std::filesystem::path metrics() const { return path_ / "metrics.jsonl"; }
  [[nodiscard]] std::filesystem::path adapter() const { return path_ / "adapter.gguf"; }
  [[nodiscard]] std::filesystem::path preview() const { return path_ / "preview.json"; }

  [[nodiscard]] Result<wire::TuneOrder> order() const;
  [[nodiscard]] Result<> write(const wire::TuneOrder& order) const;
  [[nodiscard]] Result<RunState> state() const;
  [[nodiscard]] Result<> write(const RunState& state) const;
  // Of a run that came to its end; absent before.
  [[nodiscard]] Result<std::optional<wire::TuneResult>> result() const;
  [[nodiscard]] Result<> write(const wire::TuneResult& result) const;
  // The step of its newest checkpoint.
  [[nodiscard]] std::optional<std::int64_t> resumes_at() const;
  // The last event of a kind, among the last lines.
  [[nodiscard]] std::optional<wire::TuneEvent> last(wire::TuneEventKind kind) const;
  [[nodiscard]] Bytes size() const;

 private:
  std::filesystem::path path_;
};

}  // namespace puna::training
