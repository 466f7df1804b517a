// Bringing a model to where others find it.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"

namespace puna::wire {

struct PushRequest {
  std::string destination;             // "owner/repo[@BRANCH]" on Hugging Face, "ollama://[HOST/]NAMESPACE/NAME:TAG"
  std::optional<bool> is_private;      // of a repository that has to be made; Hugging Face only
  std::optional<std::string> message;  // of the commit; Hugging Face only
};
BOOST_DESCRIBE_STRUCT(PushRequest, (), (destination, is_private, message))

enum class PushChange { created, updated, unchanged };
BOOST_DESCRIBE_ENUM(PushChange, created, updated, unchanged)

// Of a completed job.
struct PushResult {
  std::string destination;
  std::string url;        // for people
  std::string commit;     // that the destination is at
  std::int64_t size = 0;  // of all files
  std::int64_t sent = 0;  // bytes that it lacked
  PushChange change = PushChange::updated;
  std::optional<std::string> note;  // what people should know
};
BOOST_DESCRIBE_STRUCT(PushResult, (), (destination, url, commit, size, sent, change, note))

}  // namespace puna::wire
