#include "api/routes/groups.h"

namespace puna::api {

std::span<const Route> routes() {
  static const std::vector<Route> all = [] {
    std::vector<Route> out;
    for (const auto group : {
             system_routes(),       hub_routes(),       model_routes(),           quantize_routes(),
             tune_routes(),         adapter_routes(),   publish_routes(),         profile_routes(),
             running_routes(),      job_routes(),       event_routes(),           setting_routes(),
             log_routes(),          key_routes(),       certificate_routes(),     usage_routes(),
             metrics_routes(),      openai_routes(),    openai_response_routes(), openai_file_routes(),
             openai_batch_routes(), anthropic_routes(), ollama_routes(),          ollama_work_routes(),
         })
      out.insert(out.end(), group.begin(), group.end());
    return out;
  }();
  return all;
}

}  // namespace puna::api
