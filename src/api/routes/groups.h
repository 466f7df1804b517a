// The files of this folder, each exporting its part of the route table.
#pragma once

#include "api/spec.h"

namespace puna::api {

[[nodiscard]] std::span<const Route> system_routes();
[[nodiscard]] std::span<const Route> hub_routes();
[[nodiscard]] std::span<const Route> model_routes();
[[nodiscard]] std::span<const Route> quantize_routes();
[[nodiscard]] std::span<const Route> tune_routes();
[[nodiscard]] std::span<const Route> adapter_routes();
[[nodiscard]] std::span<const Route> publish_routes();
[[nodiscard]] std::span<const Route> profile_routes();
[[nodiscard]] std::span<const Route> running_routes();
[[nodiscard]] std::span<const Route> job_routes();
[[nodiscard]] std::span<const Route> event_routes();
[[nodiscard]] std::span<const Route> setting_routes();
[[nodiscard]] std::span<const Route> log_routes();
[[nodiscard]] std::span<const Route> key_routes();
[[nodiscard]] std::span<const Route> certificate_routes();
[[nodiscard]] std::span<const Route> usage_routes();
[[nodiscard]] std::span<const Route> metrics_routes();
[[nodiscard]] std::span<const Route> openai_routes();
[[nodiscard]] std::span<const Route> openai_response_routes();
[[nodiscard]] std::span<const Route> openai_file_routes();
[[nodiscard]] std::span<const Route> openai_batch_routes();
[[nodiscard]] std::span<const Route> anthropic_routes();
[[nodiscard]] std::span<const Route> ollama_routes();
[[nodiscard]] std::span<const Route> ollama_work_routes();

}  // namespace puna::api
