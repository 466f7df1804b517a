// Answering one line of a batch as its endpoint would.
#pragma once

#include "app/workbench.h"
#include "batch/batches.h"

namespace puna::api::openai {

// At low priority, waiting no longer than the request has patience. Network thread.
[[nodiscard]] net::Task<Result<batch::Answer>> answer_line(app::Workbench& workbench, batch::Request request);

}  // namespace puna::api::openai
