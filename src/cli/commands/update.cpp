#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"
#include "cli/pulling.h"
#include "cli/text.h"

namespace puna::cli {
namespace {

constexpr std::array kArguments = {
    ArgumentSpec{.name = "MODEL", .help = "models to bring up to date", .occurs = Occurs::any, .completes = Completes::models}};
constexpr std::array kOptions = {
    OptionSpec{.name = "all", .letter = 'a', .help = "every model that has an upstream"},
    OptionSpec{.name = "dry-run", .letter = 'n', .help = "only say what would be fetched"},
    OptionSpec{.name = "quiet", .letter = 'q', .help = "show no progress"},
};
constexpr std::array kExamples = {Example{"puna update smollm2", "bring what is new of one model"},
                                  Example{"puna update --all --dry-run", "what an update of everything would fetch"}};

struct Outcome {
  std::vector<wire::Job> jobs;
};
BOOST_DESCRIBE_STRUCT(Outcome, (), (jobs))

void tell(Context& context, const wire::OutdatedModel& model) {
  if (model.problem)
    context.console().warn(printable(fmt::format("{}: {}", model.name, *model.problem)));
  else if (model.outdated)
    context.console().err.line(printable(fmt::format("'{}' is outdated: {} changed, {} to fetch", model.name, join(model.changed, ", "),
                                                     model.fetch ? size_text(*model.fetch) : "?")));
  else
    context.console().err.line(printable(fmt::format("'{}' is up to date", model.name)));
}

Result<ExitCode> update(Context& context, const Invocation& invocation) {
  if (invocation.rest().empty() != invocation.has("all"))
    return fail(Code::invalid_argument, "name the models to update, or give --all; `puna outdated` shows what is newer upstream");
  const bool quiet = invocation.has("quiet") || invocation.has("json");
  PUNA_TRY(const auto interrupt, Interrupt::install());
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed, interrupt->token()));
  PUNA_TRY(const auto list, daemon->outdated(invocation.rest(), interrupt->token()));
  if (invocation.has("dry-run") && invocation.has("json")) {
    context.print_json(list);
    return ExitCode::ok;
  }
  Outcome outcome;
  bool failed = false;
  for (const auto& model : list.models) {
    if (!quiet || model.problem) tell(context, model);
    failed = failed || model.problem;
    if (!model.outdated || invocation.has("dry-run")) continue;
    PUNA_TRY(const auto job, daemon->update_model(model.name, interrupt->token()));
    const PullOrder order{.source = model.source, .name = model.name, .narration = quiet ? Narration::quiet : Narration::full};
    auto ended = finish_pull(context, *daemon, *interrupt, job, order);
    if (!ended && (ended.error().code == Code::cancelled || list.models.size() == 1)) return fail(std::move(ended).error());
    if (!ended) context.console().complain(ended.error());
    failed = failed || !ended;
    if (ended) outcome.jobs.push_back(std::move(*ended));
  }
  if (list.models.empty()) context.console().err.line("no model here has an upstream that can be asked");
  if (invocation.has("json")) context.print_json(outcome);
  return failed ? ExitCode::failure : ExitCode::ok;
}

}  // namespace

constinit const CommandSpec kUpdate{
    .name = "update",
    .group = Group::models,
    .summary = "bring models up to date",
    .description =
        "Brings what is new upstream of models, with the quantization or filter that they were pulled with. Only files that changed are "
        "fetched. The old model stays usable until the new one is here and verified; then its name changes over in one step.",
    .arguments = kArguments,
    .options = kOptions,
    .examples = kExamples,
    .prints_data = true,
    .run = update,
};

}  // namespace puna::cli
