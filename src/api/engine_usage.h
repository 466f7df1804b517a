// What a request cost, read from the engine's answer as it passes by.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace puna::api {

struct EngineUsage {
  std::int64_t prompt_tokens = 0;  // the whole prompt
  std::int64_t cached_tokens = 0;  // of those: what the KV cache had already
  std::int64_t completion_tokens = 0;
  double prompt_ms = 0;
  double completion_ms = 0;
  std::vector<std::string> finish_reasons = {};  // of the choices, as far as they ended
  bool exact = false;  // false: the answer was cut before the engine told; completion_tokens is the number of events until then
};

// From an answer's, or a chunk's, members "usage", "timings" and "prompt_progress". What neither names keeps its value.
void take_usage(const json::object& answer, EngineUsage& into);

// Reads along without parsing: the members stand near the end of an answer, and of a stream.
class UsageReader {
 public:
  // A piece of a stream, cut anywhere.
  void feed(std::string_view bytes);
  // A whole answer.
  void whole(std::string_view body);

  [[nodiscard]] EngineUsage usage() const;

 private:
  std::string tail_;
  std::int64_t events_ = 0;
  EngineUsage whole_;
};

}  // namespace puna::api
