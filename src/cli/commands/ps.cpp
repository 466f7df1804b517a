#include <array>

#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"
#include "cli/screen/table.h"
#include "cli/screen/time_text.h"
#include "cli/text.h"

namespace puna::cli {
namespace {

constexpr std::array kExamples = {Example{"puna ps", "what is in memory, and until when"}};

std::string until(const wire::RunningModel& model, WallTime now) {
  if (model.expires_at) return time_ahead(*model.expires_at, now);
  switch (model.state) {
    case wire::WorkerState::ready:
      return "Forever";
    case wire::WorkerState::busy:
      return "busy";
    case wire::WorkerState::starting:
    case wire::WorkerState::loading:
    case wire::WorkerState::draining:
    case wire::WorkerState::stopping:
    case wire::WorkerState::stopped:
    case wire::WorkerState::failed:
      return "-";
  }
  return "-";
}

std::string id_of(const wire::ModelList& library, std::string_view name) {
  const auto model = std::ranges::find(library.models, name, &wire::Model::name);
  return model == library.models.end() ? "-" : short_id(model->sha256);
}

Result<ExitCode> ps(Context& context, const Invocation& invocation) {
  PUNA_TRY(const bool runs, context.daemon_runs());
  wire::RunningList running;
  wire::ModelList library;
  if (runs) {  // without a daemon nothing is in memory, and none is started to say so
    PUNA_TRY(auto* daemon, context.daemon(Start::never));
    PUNA_TRY(running, daemon->running());
    PUNA_TRY(library, daemon->models());
  }
  if (invocation.has("json")) {
    context.print_json(running);
    return ExitCode::ok;
  }
  Table table({{.title = "NAME", .gives_way = true}, {"ID"}, {"SIZE"}, {"STATE"}, {"CONTEXT"}, {"UNTIL"}});
  for (const auto& model : running.models)
    table.add({model.name, id_of(library, model.model.value_or(model.name)), model.memory_bytes ? size_text(*model.memory_bytes) : "-",
               state_text(model), model.context_length > 0 ? std::to_string(model.context_length) : "-", until(model, context.now())});
  table.print(context.console().out);
  for (const auto& model : running.models)
    if (model.gave_up)
      context.console().warn(fmt::format("{}: given up after {} failures in a row; `puna profile start {}` tries again", model.name,
                                         model.failures, model.name));
  for (const auto& model : running.models)
    if (model.failure) context.console().warn(fmt::format("{}: {}", model.name, model.failure->message));
  return ExitCode::ok;
}

}  // namespace

constinit const CommandSpec kPs{
    .name = "ps",
    .group = Group::chat,
    .summary = "show the models in memory",
    .description =
        "Shows the models in memory: what they take, what they are doing, how many tokens of context each conversation has, and "
        "when they will be unloaded. A model whose last load failed is shown with the reason.",
    .examples = kExamples,
    .prints_data = true,
    .run = ps,
};

}  // namespace puna::cli
