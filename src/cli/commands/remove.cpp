#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"
#include "cli/screen/question.h"
#include "cli/text.h"

namespace puna::cli {
namespace {

constexpr std::array kArguments = {
    ArgumentSpec{.name = "MODEL", .help = "the models to remove", .occurs = Occurs::some, .completes = Completes::models}};
constexpr std::array kOptions = {
    OptionSpec{.name = "yes", .letter = 'y', .help = "do not ask"},
    OptionSpec{.name = "now", .help = "free the bytes at once, without undo"},
    OptionSpec{.name = "force", .letter = 'f', .help = "remove a pinned model, too; do not ask"},
};
constexpr std::array kExamples = {Example{"puna rm smollm2", "remove a model"}, Example{"puna rm -y --now a b", "remove two for good"}};

std::string told(const wire::ModelRemoval& removal, WallTime now) {
  if (!removal.remaining_names.empty() && removal.freed_bytes == 0)
    return fmt::format("removed '{}' (its files stay for {})", removal.name, join(removal.remaining_names, ", "));
  const auto until = removal.until ? parse_time(*removal.until) : std::nullopt;
  if (removal.freed_bytes == 0)
    return fmt::format("removed '{}' (that frees nothing: its files have other names on this disk{})", removal.name,
                       until ? "; `puna undo` brings it back" : "");
  if (!until) return fmt::format("removed '{}' ({} freed)", removal.name, size_text(removal.freed_bytes));
  return fmt::format("removed '{}' ({} are freed in {}; until then `puna undo` brings it back)", removal.name,
                     size_text(removal.freed_bytes), format_duration(std::chrono::round<Seconds>(*until - now)));
}

std::string question_for(const std::vector<wire::Model>& models, const wire::DiskUsage& usage) {
  std::int64_t bytes = 0;
  for (const auto& model : models)
    for (const auto& row : usage.models)
      if (row.name == model.name) bytes += row.bytes - row.shared_bytes;
  const auto what = models.size() == 1 ? fmt::format("'{}'", models.front().name) : fmt::format("{} models", models.size());
  return fmt::format("remove {} and free {}?", what, size_text(bytes));
}

// Whether to go on. Aliases and what is not there cost nothing to remove or to try.
Result<bool> agreed(Context& context, client::Client& daemon, const Invocation& invocation) {
  if (invocation.has("yes") || invocation.has("force") || !context.console().input_is_terminal) return true;
  PUNA_TRY(const auto usage, daemon.disk_usage());
  std::vector<wire::Model> models;
  for (const auto& name : invocation.rest())
    if (auto detail = daemon.model(name); detail && detail->model.store == "puna") models.push_back(std::move(detail->model));
  if (models.empty()) return true;
  return ask(context.console(), question_for(models, usage));
}

// Goes on behind a failure; the first one is the command's.
Result<ExitCode> remove(Context& context, const Invocation& invocation) {
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(const bool go_on, agreed(context, *daemon, invocation));
  if (!go_on) return fail(Code::cancelled, "nothing was removed");
  const client::Client::RemoveOptions options{.now = invocation.has("now"), .force = invocation.has("force")};
  std::optional<Error> first;
  for (const auto& name : invocation.rest()) {
    auto removal = daemon->remove_model(name, options);
    if (removal) {
      context.console().err.line(printable(told(*removal, context.now())));
    } else if (!first) {
      first = std::move(removal).error();
    } else {
      context.console().complain(removal.error());
    }
  }
  if (first) return fail(std::move(*first));
  return ExitCode::ok;
}

}  // namespace

constinit const CommandSpec kRemove{
    .name = "rm",
    .group = Group::models,
    .summary = "remove models from the library",
    .description =
        "Removes names from the library, and the files too when they have no other name. On a terminal it says how many bytes that frees "
        "and asks. For a while (setting models.undo) `puna undo` brings the model back; its bytes are freed then, or at once with --now; "
        "to remove what was removed before also frees them at once. A model that is in memory is unloaded.\n\nA model of another program "
        "(`puna list` names the store) is never removed from here: the message says how its owner does it.",
    .arguments = kArguments,
    .options = kOptions,
    .examples = kExamples,
    .run = remove,
};

}  // namespace puna::cli
