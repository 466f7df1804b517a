#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/following.h"
#include "cli/invocation.h"
#include "cli/text.h"
#include "wire/publish.h"

namespace puna::cli {
namespace {

constexpr std::array kArguments = {
    ArgumentSpec{.name = "MODEL", .help = "the model to push", .completes = Completes::models},
    ArgumentSpec{.name = "DESTINATION",
                 .help = "a repository on Hugging Face: owner/repo, or owner/repo@BRANCH; or a tag of a registry, behind ollama://"}};
constexpr std::array kOptions = {
    OptionSpec{.name = "private", .help = "only you may see the repository, if it has to be made (Hugging Face)"},
    OptionSpec{.name = "message", .letter = 'm', .value = "TEXT", .help = "the message of the commit (Hugging Face)"},
    OptionSpec{.name = "detach", .letter = 'd', .help = "return at once; the daemon goes on, see `puna job list`"},
    OptionSpec{.name = "quiet", .letter = 'q', .help = "show no progress"},
};
constexpr std::array kExamples = {Example{"puna push qwen3:4b-q4_k_m me/qwen3-4b-GGUF", "publish a model"},
                                  Example{"puna push notes:latest me/notes --private", "keep it to yourself"},
                                  Example{"puna push notes ollama://localhost:5000/me/notes", "to your own registry"}};

void tell_completed(Context& context, const wire::PushResult& result) {
  const bool same = result.change == wire::PushChange::unchanged;
  const std::string what = same ? fmt::format("{} has it already", result.destination)
                                : fmt::format("pushed to {} ({} sent)", result.destination, size_text(result.sent));
  context.console().err.line(printable(fmt::format("{}: {}", what, result.url)));
  if (result.note) context.console().err.line(printable("note: " + *result.note));
}

Result<ExitCode> push(Context& context, const Invocation& invocation) {
  wire::PushRequest request{.destination = invocation.argument("DESTINATION"), .message = invocation.text("message")};
  if (invocation.has("private")) request.is_private = true;
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(auto job, daemon->push(invocation.argument("MODEL"), request));
  return follow_as_asked(context, invocation, *daemon, std::move(job), [&](const json::value& told) -> Result<> {
    PUNA_TRY(const auto result, json::decode<wire::PushResult>(told, json::Unknown::ignore));
    tell_completed(context, result);
    return {};
  });
}

}  // namespace

constinit const CommandSpec kPush{
    .name = "push",
    .group = Group::models,
    .summary = "publish a model on Hugging Face or in a registry",
    .description =
        "Brings a model of the library to a place where others find it, as a job. What is there already is not sent again, so the same "
        "command after a failure goes on where it stopped.\n\n"
        "On Hugging Face, the repository is made if it is not there, all files come with one commit, and a repository without a README.md "
        "gets one. With an adapter whose base is here come the files that PEFT reads. It needs an access token with the right to write, in "
        "the setting hub.token or in HF_TOKEN.\n\n"
        "At ollama://[HOST/]NAMESPACE/NAME:TAG, in Ollama's registry or another one that speaks its protocol, the tag then means this "
        "model: one GGUF file with its projector, "
        "adapter and licence, and the system prompt, parameters and messages of its recipe. A template in Jinja stays behind; one in "
        "Ollama's own language goes along. A registry that wants a sign-in gets it with the key in ~/.ollama/id_ed25519, whose public half "
        "belongs into your account there.",
    .arguments = kArguments,
    .options = kOptions,
    .examples = kExamples,
    .prints_data = true,
    .run = push,
};

}  // namespace puna::cli
