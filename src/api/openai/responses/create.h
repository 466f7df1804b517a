// Answering a request of the Responses API.
#pragma once

#include "access/caller.h"
#include "api/gateway.h"
#include "api/openai/responses/answer.h"

namespace puna::api::openai::responses {

// Whose files, batches and kept responses a caller sees: those of its key, or of nobody.
[[nodiscard]] std::string owner_of(const access::Caller& caller);

// What a worker is asked for it. Keeps the answer unless the request or the settings say otherwise. Network thread.
[[nodiscard]] net::Task<Result<Inference>> prepare(app::Workbench& workbench, std::string owner, std::string_view body);

}  // namespace puna::api::openai::responses
