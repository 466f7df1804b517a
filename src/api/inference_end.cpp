#include "api/inference_end.h"

#include "base/log.h"

namespace puna::api {

void report(app::Workbench& workbench, const InferenceEnd& end) {
  static_cast<void>(workbench);
  log::debug("api", "inference ended",
             {{"request", end.lease.request_id},
              {"model", end.model},
              {"outcome", json::enum_name(end.outcome)},
              {"prompt_tokens", end.usage.prompt_tokens},
              {"completion_tokens", end.usage.completion_tokens},
              {"waited_ms", end.waited.count()},
              {"first_byte_ms", end.first_byte.value_or(Milliseconds(-1)).count()},
              {"total_ms", end.total.count()}});
}

}  // namespace puna::api
