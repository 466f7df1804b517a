// llama.cpp, made ready in this process. For child processes only: a fault in a model file would end the daemon.
#pragma once

#include <functional>
#include <string>

#include "base/error.h"

namespace puna::inference {

// Kernels loaded, llama.cpp's warnings and errors on stderr, all else silent. Everything in this module calls it by itself. Thread-safe.
[[nodiscard]] Result<> start_engine();

// What llama.cpp complained of while `work` ran, in one line; empty when it was silent. For one loading at a time.
[[nodiscard]] std::string complaints_of(const std::function<void()>& work);

// ggml ends the process when it finds itself in an impossible state, or a GPU fails under it. `hear` is told why before that, in the middle
// of whatever went wrong; a null ends that.
void before_abort(void (*hear)(const char* message));

}  // namespace puna::inference
