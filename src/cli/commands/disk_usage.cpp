#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"
#include "cli/screen/table.h"
#include "cli/screen/time_text.h"
#include "cli/text.h"

namespace puna::cli {
namespace {

constexpr std::array kExamples = {Example{"puna df", "what takes the room"},
                                  Example{"puna df --json | jq '.duplicates'", "what lies on the disk twice"}};

void print_models(Stream& out, const wire::DiskUsage& usage) {
  Table table({{.title = "NAME", .gives_way = true},
               {.title = "SIZE", .align = Align::right},
               {.title = "SHARED", .align = Align::right},
               {"STORE"}});
  for (const auto& row : usage.models)
    table.add({row.name, size_text(row.bytes), row.shared_bytes > 0 ? size_text(row.shared_bytes) : "-", row.store});
  table.print(out);
}

void print_list(Stream& out, std::string_view title, Table table) {
  if (table.empty()) return;
  out.line("");
  out.line(out.paint(Tone::bold, title));
  table.print(out);
}

Table duplicates_of(const wire::DiskUsage& usage) {
  Table table({{.title = "MODELS WITH THE SAME FILE", .gives_way = true}, {.title = "TWICE", .align = Align::right}});
  for (const auto& row : usage.duplicates) table.add({join(row.names, ", "), size_text(row.reclaimable_bytes)});
  return table;
}

Table removed_of(const wire::DiskUsage& usage, WallTime now) {
  Table table({{.title = "NAME", .gives_way = true}, {.title = "SIZE", .align = Align::right}, {"FREED"}});
  for (const auto& row : usage.removed) table.add({row.name, size_text(row.bytes), time_ahead(row.until, now)});
  return table;
}

Table partials_of(const wire::DiskUsage& usage) {
  Table table({{.title = "FILE", .gives_way = true}, {.title = "SIZE", .align = Align::right}, {"STORE"}});
  for (const auto& row : usage.partials) table.add({row.path, size_text(row.bytes), row.store});
  return table;
}

Result<ExitCode> disk_usage(Context& context, const Invocation& invocation) {
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(const auto usage, daemon->disk_usage());
  if (invocation.has("json")) {
    context.print_json(usage);
    return ExitCode::ok;
  }
  auto& out = context.console().out;
  print_models(out, usage);
  print_list(out, "On the disk more than once", duplicates_of(usage));
  print_list(out, "Removed: `puna undo` brings them back until they are freed", removed_of(usage, context.now()));
  print_list(out, "Downloads that are not complete", partials_of(usage));
  out.line("");
  out.line(fmt::format("{} in the library, {} of other programs, {} available", size_text(usage.own_bytes), size_text(usage.other_bytes),
                       size_text(usage.available_bytes)));
  if (usage.conversation_bytes > 0)
    out.line(fmt::format("{} of saved conversations, of at most {} (setting warm.disk)", size_text(usage.conversation_bytes),
                         size_text(usage.conversation_limit)));
  return ExitCode::ok;
}

}  // namespace

constinit const CommandSpec kDiskUsage{
    .name = "df",
    .group = Group::models,
    .summary = "show which models take which room",
    .description =
        "Shows the bytes of each model, and how many of them it shares with other models; files of several models are counted once in the "
        "sums. Then what lies on the disk twice, what was removed and can be brought back, downloads that are not complete, and what the "
        "saved states of conversations take.",
    .examples = kExamples,
    .prints_data = true,
    .run = disk_usage,
};

}  // namespace puna::cli
