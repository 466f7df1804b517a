// The checkpoints of a run: a limited number, each whole or not there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "trainer/guard.h"
#include "tune/trainer.h"
#include "wire/tune_order.h"

namespace puna::trainer {

// Where a run is, beside what the engine knows.
struct Cursor {
  std::int64_t step = 0;        // that have been taken
  std::int64_t evaluated = -1;  // the last step after which rows were evaluated
  GuardState guard;
  std::int64_t tokens = 0;
  double seconds = 0;  // of training
  std::int64_t peak_memory = 0;
  std::optional<double> base_loss;  // of the evaluation before the first step
};
BOOST_DESCRIBE_STRUCT(Cursor, (), (step, evaluated, guard, tokens, seconds, peak_memory, base_loss))

// What must be the same for a run to go on: base, rows, settings.
[[nodiscard]] Result<std::string> identity_of(const wire::TuneOrder& order);

class Checkpoints {
 public:
  Checkpoints(const std::filesystem::path& run_folder, std::string identity, std::int64_t keep);

  // The step of the newest one; nothing, when there is none.
  [[nodiscard]] std::optional<std::int64_t> newest() const;
  // Sets the trainer to the newest one that can be read. Nothing, when there is none. Code::conflict when it is of another run.
  [[nodiscard]] Result<std::optional<Cursor>> restore(tune::Trainer& trainer) const;
  // Older ones go once the new one is there. Returns its file name. A failure leaves the old ones as they were.
  [[nodiscard]] Result<std::string> save(tune::Trainer& trainer, const Cursor& cursor);
  // All of them, when a run has come to its end.
  void clear();

 private:
  [[nodiscard]] std::vector<std::int64_t> steps() const;  // newest first
  [[nodiscard]] std::filesystem::path path_of(std::int64_t step) const;

  std::filesystem::path folder_;
  std::string identity_;
  std::size_t keep_;
};

}  // namespace puna::trainer
