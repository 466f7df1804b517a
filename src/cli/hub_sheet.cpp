#include "cli/hub_sheet.h"

#include "base/text.h"
#include "cli/screen/table.h"
#include "cli/screen/time_text.h"
#include "cli/screen/width.h"
#include "cli/text.h"

namespace puna::cli {
namespace {

std::string_view fit_text(wire::MemoryFit fit) {
  switch (fit) {
    case wire::MemoryFit::fits:
      return "fits";
    case wire::MemoryFit::fits_when_free:
      return "fits when memory is free";
    case wire::MemoryFit::too_large:
      return "too large";
    case wire::MemoryFit::unknown:
      return "unknown";
  }
  return "unknown";
}

std::string optional_size(const std::optional<std::int64_t>& bytes) {
  return bytes ? size_text(*bytes) : "?";
}

void row(Stream& out, std::string_view name, std::string_view value) {
  constexpr std::size_t kNames = 14;
  if (!value.empty()) out.line(printable(fmt::format("  {}{}", pad_right(name, kNames), value)));
}

std::string popularity(const wire::HubHit& hit) {
  std::vector<std::string> parts;
  if (hit.downloads) parts.push_back(fmt::format("{} downloads", rounded_count(*hit.downloads)));
  if (hit.likes) parts.push_back(fmt::format("{} likes", rounded_count(*hit.likes)));
  return join(parts, ", ");
}

std::string gate_text(const wire::HubModel& model) {
  if (!model.about.gated) return {};
  const std::string page = model.page.value_or("its page");
  return *model.about.gated == "manual" ? fmt::format("yes: its owner decides who may have it; ask at {}", page)
                                        : fmt::format("yes: accept its terms at {}", page);
}

std::string architecture_text(const wire::HubModel& model) {
  std::vector<std::string> parts;
  if (model.architecture) parts.push_back(*model.architecture);
  if (model.parameters) parts.push_back(fmt::format("{} parameters", parameter_text(*model.parameters)));
  if (model.context_length) parts.push_back(fmt::format("context {}", *model.context_length));
  return join(parts, ", ");
}

void print_variants(Stream& out, const wire::HubModel& model) {
  Table table({{""},
               {"QUANTIZATION"},
               {.title = "SIZE", .align = Align::right},
               {.title = "MEMORY", .align = Align::right},
               {.title = "HERE", .gives_way = true}});
  for (const auto& variant : model.variants) {
    const std::string name = variant.parts > 1 ? fmt::format("{} ({} parts)", variant.name, variant.parts) : variant.name;
    const std::string fit = variant.problem  ? *variant.problem
                            : variant.memory ? std::string(fit_text(variant.memory->fit))
                                             : std::string("cannot be run, only kept");
    table.add({variant.chosen ? "*" : "", name, optional_size(variant.size), variant.memory ? size_text(variant.memory->total) : "", fit});
  }
  table.print(out);
}

}  // namespace

std::string memory_text(const wire::MemoryNeed& need) {
  const std::string with = need.cache ? fmt::format(" with {} × {} tokens", need.slots, need.context_length) : " for the weights alone";
  return fmt::format("{}{}: {} ({} of {} are free)", size_text(need.total), with, fit_text(need.fit), size_text(need.available),
                     size_text(need.installed));
}

void print_hub_model(Context& context, const wire::HubModel& model) {
  auto& out = context.console().out;
  out.line(out.paint(Tone::bold, printable(model.about.source)));
  row(out, "model", architecture_text(model));
  row(out, "licence", model.about.licence.value_or(""));
  row(out, "popularity", popularity(model.about));
  row(out, "updated", model.about.updated_at ? time_ago(*model.about.updated_at, context.now()) : "");
  row(out, "gated", gate_text(model));
  row(out, "commit", model.commit.substr(0, 12));
  row(out, "page", model.page.value_or(""));
  out.line("");
  if (model.variants.empty())
    out.line("  It has no GGUF and no safetensors files.");
  else
    print_variants(out, model);
  for (const auto& note : model.notes) context.console().warn(printable(note));
  if (model.card) out.write("\n" + printable(*model.card) + "\n");
}

std::string plan_line(const wire::PullPlan& plan) {
  const auto count = plan.files.size();
  const std::string what = plan.repository ? fmt::format("{} of {}", plan.variant, *plan.repository) : plan.source;
  const std::string files = count == 1 ? "1 file" : fmt::format("{} files", count);
  if (plan.unchanged) return fmt::format("{}: {}, here already", what, files);
  return fmt::format("{}: {}, {} to fetch", what, files, optional_size(plan.fetch));
}

void print_plan(Context& context, const wire::PullPlan& plan) {
  auto& out = context.console().out;
  out.line(out.paint(Tone::bold, printable(plan.source)));
  row(out, "name",
      plan.replaces && !plan.unchanged ? fmt::format("{} (replaces what came from {})", plan.name, *plan.replaces) : plan.name);
  row(out, "takes", plan.variant);
  row(out, "commit", plan.repository && plan.commit ? plan.commit->substr(0, 12) : "");
  row(out, "to fetch",
      fmt::format("{} of {}; {} are free on the disk", optional_size(plan.fetch), optional_size(plan.total), size_text(plan.disk_free)));
  if (plan.memory) row(out, "memory", memory_text(*plan.memory));
  out.line("");
  Table table({{.title = "FILE", .gives_way = true}, {"ROLE"}, {.title = "SIZE", .align = Align::right}, {"STATE"}});
  for (const auto& file : plan.files)
    table.add({file.path, std::string(json::enum_name(file.role)), optional_size(file.size), file.reason});
  table.print(out);
  for (const auto& warning : plan.warnings) context.console().warn(printable(warning));
}

}  // namespace puna::cli
