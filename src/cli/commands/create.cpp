#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/following.h"
#include "cli/invocation.h"
#include "os/file.h"

namespace puna::cli {
namespace {

constexpr Bytes kLargestRecipe = mib(4);

constexpr std::array kArguments = {ArgumentSpec{.name = "NAME", .help = "what the new model is called"}};
constexpr std::array kOptions = {OptionSpec{
    .name = "file", .letter = 'f', .value = "FILE", .help = "the recipe; ./Modelfile unless said", .completes = Completes::files}};
constexpr std::array kExamples = {Example{"puna create pirate -f Modelfile", "a model from Ollama's kind of recipe"},
                                  Example{"puna create pirate -f pirate.toml", "from a TOML file"}};

Result<ExitCode> create(Context& context, const Invocation& invocation) {
  std::error_code error;
  const auto file = std::filesystem::absolute(invocation.text("file").value_or("Modelfile"), error);
  PUNA_TRY(auto recipe, os::read_file(file, kLargestRecipe));
  const bool toml = lower_ascii(file.extension().string()) == ".toml";
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  const wire::CreateModel request{.name = invocation.argument("NAME"),
                                  .recipe = std::move(recipe),
                                  .format = toml ? wire::RecipeFormat::toml : wire::RecipeFormat::modelfile,
                                  .folder = file.parent_path().string()};
  auto job = daemon->create_model(request);
  if (!job) return fail(std::move(job).error().within(file.filename().string()));
  PUNA_TRY(const auto ended, follow_job(context, *daemon, *job, Narration::full));
  PUNA_TRY(const auto model, json::decode<wire::Model>(ended.result.value_or(nullptr), json::Unknown::ignore));
  context.console().err.line(printable(fmt::format("created '{}'", model.name)));
  return ExitCode::ok;
}

}  // namespace

constinit const CommandSpec kCreate{
    .name = "create",
    .group = Group::models,
    .summary = "make a model from another one and a recipe",
    .description =
        "Makes a model that shares the files of another one and adds to requests what its recipe says, where they do not say otherwise: a "
        "system prompt, parameters, messages before the conversation, a chat template, a LoRA adapter, a context length.\n\nThe recipe is "
        "a "
        "Modelfile as Ollama has it (FROM, PARAMETER, SYSTEM, MESSAGE, TEMPLATE, ADAPTER, LICENSE), or a TOML file with from, system, "
        "template, context, adapters, licence, [parameters] and [[messages]]. FROM names a model or a GGUF file. Templates are Jinja; "
        "Ollama's own kind is refused, and so is by name whatever cannot be honoured.",
    .arguments = kArguments,
    .options = kOptions,
    .examples = kExamples,
    .run = create,
};

}  // namespace puna::cli
