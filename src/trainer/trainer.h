// `puna trainer`: the child process that trains.
#pragma once

#include <span>
#include <string_view>

namespace puna::trainer {

// The words behind "trainer": an act and a run's folder, in which run.json says what is wanted.
//   FOLDER                train
//   --check FOLDER        read base, settings and rows, and say what is wrong with them
//   --check-model FOLDER  the same without the rows
//   --estimate FOLDER     what training would take; with a step of it
//   --preview=N FOLDER    the first N rows as they would be trained, into preview.json
// Tells wire::TuneEvent on its standard output, one a line; the last is "finished", or "failed" with an error. SIGTERM ends it with a
// checkpoint. Returns the exit code.
[[nodiscard]] int run(std::span<const std::string_view> words);

}  // namespace puna::trainer
