// A run of training, followed from its beginning to its end.
#pragma once

#include <functional>
#include <string>

#include "client/transport.h"
#include "wire/tune.h"

namespace puna::client {

[[nodiscard]] std::string run_target(std::string_view name, std::string_view verb = "");

// See Client::follow_tune().
[[nodiscard]] net::Task<Result<wire::TuneRun>> follow_run(Transport& transport, std::string name,
                                                          const std::function<void(const wire::TuneEvent&)>& on_event);

}  // namespace puna::client
