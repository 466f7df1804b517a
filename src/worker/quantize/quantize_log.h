// What llama.cpp's quantizer says while it works, understood: its log is the only place where it tells how far it is.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace puna::worker {

class QuantizeLog {
 public:
  struct Sinks {
    std::function<void(std::string_view name)> tensor;  // this one begins
    std::function<void(std::string_view type)> type;    // what the last one would become; only while it plans
    std::function<void(std::int64_t count)> fallbacks;  // so many tensors do not fit the level and get another type
  };
  explicit QuantizeLog(Sinks sinks) : sinks_(std::move(sinks)) {}

  // A piece of text, as it comes from llama.cpp's log callback.
  void hear(std::string_view text);
  void hear_error(std::string_view text);
  // Why it failed.
  [[nodiscard]] Error failure() const;

 private:
  Sinks sinks_;
  std::vector<std::string> errors_;
};

}  // namespace puna::worker
