// What came out when a model was tried.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "wire/error.h"

namespace puna::wire {

// absent: the model does not have it; untried: nobody knows, and the note says why.
enum class ProbeOutcome { passed, failed, absent, untried };
BOOST_DESCRIBE_ENUM(ProbeOutcome, passed, failed, absent, untried)

struct ProbeFinding {
  ProbeOutcome outcome = ProbeOutcome::untried;
  std::optional<std::string> note;  // for people: what went wrong, or how it is done
};
BOOST_DESCRIBE_STRUCT(ProbeFinding, (), (outcome, note))

struct ModelProbe {
  std::string probed_at;    // RFC 3339
  ProbeFinding loads;       // into memory
  ProbeFinding writes;      // computes what comes next
  ProbeFinding embeds;      // computes vectors
  ProbeFinding chat;        // the template makes a prompt of a conversation
  ProbeFinding system;      // system messages get into it
  ProbeFinding tools;       // the tools of a request get into it
  ProbeFinding tool_calls;  // what the model writes to call one is understood
  ProbeFinding thinking;    // what the model thinks is told apart from its answer
};
BOOST_DESCRIBE_STRUCT(ModelProbe, (), (probed_at, loads, writes, embeds, chat, system, tools, tool_calls, thinking))

// What `puna worker --probe FILE` prints, one JSON object a line.
struct ProbeLine {
  std::optional<ModelProbe> findings;  // so far, without the time
  std::optional<std::string> begins;   // the member of ModelProbe that is tried next: what is to blame for a crash
  std::optional<ErrorDetail> error;    // why nothing could be tried
  std::optional<std::string> fault;    // last words of a crash, with their message
  std::optional<std::string> message;
  std::optional<bool> finished;
};
BOOST_DESCRIBE_STRUCT(ProbeLine, (), (findings, begins, error, fault, message, finished))

}  // namespace puna::wire
