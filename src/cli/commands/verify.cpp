#include <array>

#include "base/text.h"
#include "base/units.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/following.h"
#include "cli/invocation.h"
#include "cli/text.h"

namespace puna::cli {
namespace {

constexpr std::array kArguments = {
    ArgumentSpec{.name = "MODEL", .help = "the models to verify; else all", .occurs = Occurs::any, .completes = Completes::models}};
constexpr std::array kOptions = {OptionSpec{.name = "quiet", .letter = 'q', .help = "show no progress"}};
constexpr std::array kExamples = {Example{"puna verify", "read every byte of every model"},
                                  Example{"puna verify smollm2 && puna run smollm2", "only what is intact"}};

void tell_wrong(Context& context, const wire::Verification& verification) {
  for (const auto& file : verification.wrong) {
    context.console().warn(fmt::format("{}: {}", join(file.models, ", "), file.problem.value_or("wrong")));
    context.console().err.line(printable(fmt::format("         only the wrong file is fetched again by `puna pull` of the same model")));
  }
}

Result<ExitCode> verify(Context& context, const Invocation& invocation) {
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  wire::VerifyModels request;
  if (!invocation.rest().empty()) request.names = invocation.rest();
  const bool quiet = invocation.has("quiet") || invocation.has("json");
  PUNA_TRY(auto job, daemon->verify_models(request));
  PUNA_TRY(job, follow_job(context, *daemon, job, quiet ? Narration::quiet : Narration::full));
  PUNA_TRY(const auto verification, json::decode<wire::Verification>(job.result.value_or(nullptr), json::Unknown::ignore));
  if (invocation.has("json")) {
    context.print_json(verification);
  } else {
    tell_wrong(context, verification);
    std::string line =
        fmt::format("{} of {} files are intact ({})", verification.files - static_cast<std::int64_t>(verification.wrong.size()),
                    verification.files, size_text(verification.bytes));
    if (verification.unknown > 0) line += fmt::format("; of {} nobody knows what their content should be", verification.unknown);
    context.console().err.line(line);
  }
  return verification.wrong.empty() ? ExitCode::ok : ExitCode::failure;
}

}  // namespace

constinit const CommandSpec kVerify{
    .name = "verify",
    .group = Group::models,
    .summary = "check the files of models byte by byte",
    .description =
        "Reads every byte of the models' files and compares their SHA-256 with what it was when they came, as a job. A file that is wrong "
        "is "
        "named, and its models are not used until they were pulled again. Exit code 1 says that something is wrong.",
    .arguments = kArguments,
    .options = kOptions,
    .examples = kExamples,
    .prints_data = true,
    .run = verify,
};

}  // namespace puna::cli
