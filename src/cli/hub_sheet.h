// Models that are elsewhere, as the terminal shows them.
#pragma once

#include "cli/context.h"
#include "wire/hub.h"

namespace puna::cli {

// A repository: what is known of it, and its quantizations with sizes and whether they fit into memory.
void print_hub_model(Context& context, const wire::HubModel& model);
// What a pull would bring.
void print_plan(Context& context, const wire::PullPlan& plan);
// "Q4_K_M of owner/repo: 2 files, 4.58 GiB to fetch".
[[nodiscard]] std::string plan_line(const wire::PullPlan& plan);
// "4.58 GiB with 4 × 4096 tokens: fits".
[[nodiscard]] std::string memory_text(const wire::MemoryNeed& need);

}  // namespace puna::cli
