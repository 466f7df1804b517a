#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"
#include "cli/screen/table.h"
#include "cli/text.h"

namespace puna::cli {
namespace {

constexpr std::array kOptions = {
    OptionSpec{.name = "days", .letter = 'n', .value = "NUMBER", .help = "only the last days, today among them; 7 unless told; 0: all"},
    OptionSpec{.name = "key", .value = "KEY", .help = "only a key's, by its name or ID; or local, for this user without a key"},
    OptionSpec{.name = "model", .value = "MODEL", .help = "only one model's, by its full name", .completes = Completes::models},
};
constexpr std::array kExamples = {Example{"puna usage", "the last week"},
                                  Example{"puna usage --key guest --days 30", "what one key used in a month"},
                                  Example{"puna usage --json | jq '[.rows[].tokens_out] | add'", "a sum for a script"}};

std::string seconds_each(std::int64_t milliseconds, std::int64_t requests) {
  return requests == 0 ? "-" : fmt::format("{:.1f} s", static_cast<double>(milliseconds) / 1000 / static_cast<double>(requests));
}

Result<ExitCode> usage(Context& context, const Invocation& invocation) {
  constexpr std::int64_t kWeek = 7, kMost = 100'000;
  PUNA_TRY(const auto days, invocation.number("days", kWeek, 0, kMost));
  net::Query query;
  if (days > 0) query.add("from", format_time(context.now() - std::chrono::days(days - 1)).substr(0, 10));
  if (const auto key = invocation.text("key")) query.add("key", *key);
  if (const auto model = invocation.text("model")) query.add("model", *model);
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(const auto report, daemon->usage(query));
  if (invocation.has("json")) {
    context.print_json(report);
    return ExitCode::ok;
  }
  Table table({{"DAY"},
               {.title = "WHO", .gives_way = true},
               {.title = "MODEL", .gives_way = true},
               {.title = "REQUESTS", .align = Align::right},
               {.title = "FAILED", .align = Align::right},
               {.title = "READ", .align = Align::right},
               {.title = "CACHED", .align = Align::right},
               {.title = "WRITTEN", .align = Align::right},
               {.title = "TIME EACH", .align = Align::right}});
  for (const auto& row : report.rows)
    table.add({row.day, row.name, row.model.empty() ? "-" : row.model, std::to_string(row.requests), std::to_string(row.failures),
               rounded_count(row.tokens_in), rounded_count(row.tokens_cached), rounded_count(row.tokens_out),
               seconds_each(row.duration_ms, row.requests)});
  table.print(context.console().out);
  return ExitCode::ok;
}

}  // namespace

constinit const CommandSpec kUsage{
    .name = "usage",
    .group = Group::daemon,
    .summary = "show what was used, by whom",
    .description = "Shows requests and tokens by day (of UTC), by who asked and by model: read, of those found in the cache, and written.",
    .options = kOptions,
    .examples = kExamples,
    .prints_data = true,
    .run = usage,
};

}  // namespace puna::cli
