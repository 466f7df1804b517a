// What happens to a conversation that is longer than the model's context.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace puna::wire {

enum class Overflow {
  refuse,      // with the counts
  shift,       // the oldest turns are left out
  middle_out,  // the turns in the middle are left out: the first and the last stay
  summarise    // as shift; the model sums up what is left out
};
BOOST_DESCRIBE_ENUM(Overflow, refuse, shift, middle_out, summarise)

// As people and the API write it: "middle-out".
[[nodiscard]] constexpr std::string_view overflow_name(Overflow overflow) {
  switch (overflow) {
    case Overflow::refuse:
      return "refuse";
    case Overflow::shift:
      return "shift";
    case Overflow::middle_out:
      return "middle-out";
    case Overflow::summarise:
      return "summarise";
  }
  return "refuse";
}
// Also "middle_out", "summarize", and the words of OpenAI's parameter `truncation`: "disabled" is refuse, "auto" is shift, as its
// documentation says. https://platform.openai.com/docs/api-reference/responses/create
[[nodiscard]] constexpr std::optional<Overflow> overflow_from(std::string_view name) {
  if (name == "refuse" || name == "disabled") return Overflow::refuse;
  if (name == "shift" || name == "auto") return Overflow::shift;
  if (name == "middle-out" || name == "middle_out") return Overflow::middle_out;
  if (name == "summarise" || name == "summarize") return Overflow::summarise;
  return std::nullopt;
}

// What an answer was made without: the member `puna` of its body, and the header X-Puna-Dropped.
struct Dropped {
  std::int64_t dropped_messages = 0;
  std::int64_t dropped_tokens = 0;  // by which the prompt became shorter
  std::string strategy;             // "shift", "middle-out", "summarise"
};
BOOST_DESCRIBE_STRUCT(Dropped, (), (dropped_messages, dropped_tokens, strategy))

}  // namespace puna::wire
