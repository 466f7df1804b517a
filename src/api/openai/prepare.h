// From a checked request to what a worker is asked.
#pragma once

#include "api/gateway.h"
#include "api/openai/parameters.h"

namespace puna::api::openai {

// A request's bytes, checked. Members that no table knows are refused, unless another engine than ours answers for the model: it may know
// them, and gets them as they came. Network thread.
[[nodiscard]] net::Task<Result<Request>> checked(app::Workbench& workbench, Endpoint endpoint, std::string_view body);

// With what the model's recipe adds. `original`: the bytes that the request was read from, passed on when nothing differs; empty: written
// anew. Network thread. Fails as Workbench::recipe() does.
[[nodiscard]] net::Task<Result<Inference>> prepare(app::Workbench& workbench, Endpoint endpoint, Request request,
                                                   std::string original = {});

}  // namespace puna::api::openai
