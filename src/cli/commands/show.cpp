#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"
#include "cli/model_sheet.h"

namespace puna::cli {
namespace {

constexpr std::array kArguments = {ArgumentSpec{.name = "MODEL", .help = "a model of the library", .completes = Completes::models}};
constexpr std::array kOptions = {
    OptionSpec{.name = "template", .help = "print the chat template alone"},
    OptionSpec{.name = "metadata", .help = "print every key of the model file, too"},
};
constexpr std::array kExamples = {Example{"puna show smollm2", "what the model is and can do"},
                                  Example{"puna show smollm2 --template", "the template that turns a chat into a prompt"}};

Result<ExitCode> show(Context& context, const Invocation& invocation) {
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed));
  PUNA_TRY(const auto detail, daemon->model(invocation.argument("MODEL")));
  auto& out = context.console().out;
  if (invocation.has("json")) {
    context.print_json(detail);
    return ExitCode::ok;
  }
  if (invocation.has("template")) {
    if (!detail.chat_template) return fail(Code::not_found, fmt::format("model {} has no chat template", detail.model.name));
    out.line(printable(*detail.chat_template));
    return ExitCode::ok;
  }
  print_model(out, detail, context.now());
  if (invocation.has("metadata")) print_metadata(out, detail);
  if (detail.model.problem) context.console().warn(*detail.model.problem);
  return ExitCode::ok;
}

}  // namespace

constinit const CommandSpec kShow{
    .name = "show",
    .group = Group::models,
    .summary = "show what a model is and can do",
    .description =
        "Shows a model of the library: architecture, size, context length, what it can be used for, where its file lies and "
        "where it came from.",
    .arguments = kArguments,
    .options = kOptions,
    .examples = kExamples,
    .prints_data = true,
    .run = show,
};

}  // namespace puna::cli
