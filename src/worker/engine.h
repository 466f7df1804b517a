// llama.cpp's server core with one model, behind a Unix socket.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>

#include "worker/arguments.h"
#include "worker/engine_log.h"
#include "worker/status.h"

namespace puna::worker {

class Engine {
 public:
  // Loads the model; `progress` is told values from 0 to 1. One engine in a process.
  [[nodiscard]] static std::expected<std::unique_ptr<Engine>, LoadFailure> load(const ServeArguments& arguments, EngineLog& log,
                                                                                const std::function<void(double)>& progress);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  [[nodiscard]] Readiness readiness() const;
  // Listens on the socket. Code::unavailable when that is not possible.
  [[nodiscard]] Result<> listen();
  // Saves the conversations that are not saved yet, while run() runs on another thread.
  void farewell(Milliseconds limit);
  // Runs inference for the requests that arrive, on this thread, until the process ends.
  void run();

 private:
  struct Parts;
  explicit Engine(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace puna::worker
