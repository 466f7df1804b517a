// The state of a run in one file, so that it goes on as if it had never stopped.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"
#include "tune/trainer.h"

namespace puna::tune {

// What the engine does not know of, but must be the same or be restored.
struct CheckpointNotes {
  std::string identity;  // of base, settings and data together, in whatever form: a checkpoint of another identity is refused
  std::string cursor;    // where in the data the run is; given back as it was
};

// The file appears complete or not at all: parameters, moments, steps and notes. Dropout and learning rate follow from the step.
[[nodiscard]] Result<> write_checkpoint(const std::filesystem::path& path, Trainer& trainer, const CheckpointNotes& notes);
// Sets a trainer with the same model and options to that state and returns the cursor. Code::conflict when the identity or the shape of the
// adapter is another; then the trainer is as it was.
[[nodiscard]] Result<std::string> read_checkpoint(const std::filesystem::path& path, Trainer& trainer, std::string_view identity);

}  // namespace puna::tune
