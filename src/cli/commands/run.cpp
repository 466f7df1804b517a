#include <poll.h>
#include <unistd.h>

#include <array>

#include "base/text.h"
#include "cli/chat/conversation.h"
#include "cli/chat/interactive.h"
#include "cli/chat/parameters.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"
#include "cli/pulling.h"

namespace puna::cli {
namespace {

constexpr std::array kArguments = {
    ArgumentSpec{.name = "MODEL",
                 .help = "a model of the library or a profile; a GGUF file, or a reference such as owner/repo:Q4_K_M, is brought in first",
                 .completes = Completes::model_or_file},
    ArgumentSpec{.name = "PROMPT", .help = "a question; without one, a chat begins", .occurs = Occurs::any}};
constexpr std::array kOptions = {
    OptionSpec{.name = "system", .value = "TEXT", .help = "what the model is told before everything else"},
    OptionSpec{.name = "set",
               .value = "NAME=VALUE",
               .help = "how the model writes: temperature, top_p, top_k, min_p, seed, max_tokens, stop …; may be repeated",
               .repeatable = true},
    OptionSpec{.name = "format",
               .value = "FORMAT",
               .help = "json, or a file with a JSON schema that the answer shall follow",
               .completes = Completes::json_format},
    OptionSpec{.name = "keepalive", .value = "DURATION", .help = "how long the model stays in memory: 5m, -1 for ever, 0 not at all"},
    OptionSpec{.name = "think", .help = "let the model think first, if it can"},
    OptionSpec{.name = "no-think", .help = "let it answer at once"},
    OptionSpec{.name = "hide-thinking", .help = "do not show what it thinks"},
    OptionSpec{.name = "nowordwrap", .help = "do not break lines between words"},
    OptionSpec{.name = "verbose", .help = "show timings behind the answer"},
};
constexpr std::array kExamples = {
    Example{"puna run smollm2", "chat"},
    Example{"puna run smollm2 \"Why is the sky blue?\"", "one question, one answer"},
    Example{"puna run smollm2 \"Summarise this:\" < notes.txt", "a question about a file"},
    Example{"puna run HuggingFaceTB/SmolLM2-135M-Instruct-GGUF", "pull it first if it is not here"},
    Example{"puna run smollm2+pirate", "with a LoRA adapter of the library; several follow each other"},
    Example{"puna run ./model.gguf --set temperature=0 --set seed=1 hello", "a file, the same answer each time"}};
constexpr Bytes kLargestInput = mib(64);

Result<ChatSettings> read_settings(const Invocation& invocation) {
  ChatSettings settings;
  settings.system = invocation.text("system").value_or("");
  for (const auto& assignment : invocation.all("set")) {
    const auto equals = assignment.find('=');
    if (equals == std::string::npos)
      return fail(Code::invalid_argument, fmt::format("--set: '{}' is not NAME=VALUE", printable(assignment)));
    const std::string_view whole = assignment;
    PUNA_CHECK(set_parameter(settings.parameters, whole.substr(0, equals), whole.substr(equals + 1)));
  }
  if (const auto format = invocation.text("format")) {
    PUNA_TRY(settings.response_format, read_format(*format));
  }
  settings.keep_alive = invocation.text("keepalive");
  if (settings.keep_alive) PUNA_CHECK(parse_duration(*settings.keep_alive));
  if (invocation.has("think") && invocation.has("no-think"))
    return fail(Code::invalid_argument, "--think and --no-think exclude each other");
  if (invocation.has("think") || invocation.has("no-think")) settings.think = invocation.has("think");
  if (invocation.has("hide-thinking")) settings.manner.thinking = Thinking::hidden;
  if (invocation.has("nowordwrap")) settings.manner.wrapping = Wrapping::none;
  if (invocation.has("json")) settings.manner.showing = Showing::nothing;
  settings.verbose = invocation.has("verbose");
  return settings;
}

// What is piped in, up to its end; says that it waits when nothing comes.
Result<std::string> read_input(Context& context, const Interrupt& interrupt) {
  constexpr int kPatience = 2'000;
  std::string text;
  for (bool told = false;;) {
    std::array<pollfd, 2> watched{pollfd{interrupt.descriptor(), POLLIN, 0}, pollfd{STDIN_FILENO, POLLIN, 0}};
    const int ready = ::poll(watched.data(), watched.size(), told ? -1 : kPatience);
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) {
      told = true;
      if (context.console().err.is_terminal()) context.console().err.line("reading the prompt from standard input …");
      continue;
    }
    if (watched[0].revents != 0) return fail(Code::cancelled, "interrupted while reading standard input");
    std::array<char, 65'536> buffer;
    const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(errno_error(errno, "cannot read standard input"));
    if (count == 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (text.size() > kLargestInput.count)
      return fail(Code::too_large, fmt::format("standard input holds more than {}", format_bytes(kLargestInput)));
  }
  if (!is_utf8(text)) return fail(Code::invalid_argument, "standard input is not UTF-8 text");
  return text;
}

// What is piped in comes first, then the words of the command line.
Result<std::string> gather_prompt(Context& context, const Interrupt& interrupt, const Invocation& invocation) {
  std::string words = join(invocation.rest(), " ");
  if (context.console().input_is_terminal) return words;
  PUNA_TRY(const auto input, read_input(context, interrupt));
  const std::string piped(trim(input));
  if (piped.empty() || words.empty()) return piped + words;
  return fmt::format("{}\n\n{}", piped, words);
}

Result<wire::ModelDetail> pull_and_find(Context& context, client::Client& daemon, Interrupt& interrupt, const std::string& source) {
  const PullOrder order{.source = source};
  PUNA_TRY(auto job, submit_pull(context, daemon, order));
  PUNA_TRY(job, finish_pull(context, daemon, interrupt, job, order));
  PUNA_TRY(const auto name, pulled_name(job));
  return daemon.model(name, interrupt.token());
}

// What a reference would be called in the library: "ollama://qwen3:8b" is "qwen3:8b" there.
std::string_view without_catalogue(std::string_view typed) {
  const auto scheme = typed.find("://");
  if (scheme != std::string_view::npos) typed.remove_prefix(scheme + 3);
  for (const std::string_view host : {"hf.co/", "huggingface.co/"})
    if (typed.starts_with(host)) typed.remove_prefix(host.size());
  return typed;
}

// A profile talks as the model that it serves, under its own name.
Result<wire::ModelDetail> find_profile(client::Client& daemon, Interrupt& interrupt, const std::string& typed) {
  PUNA_TRY(const auto profile, daemon.profile(typed, interrupt.token()));
  wire::ModelDetail out;
  if (profile.settings.model) {
    PUNA_TRY(out, daemon.model(*profile.settings.model, interrupt.token()));
  }
  out.model.name = profile.name;
  return out;
}

// The model of the library, or a profile; a file, and what only a catalogue has, is brought in first.
Result<wire::ModelDetail> find_or_pull(Context& context, client::Client& daemon, Interrupt& interrupt, const std::string& typed) {
  if (looks_like_file(typed)) {
    context.console().err.line(printable(fmt::format("taking {} into the library", typed)));
    return pull_and_find(context, daemon, interrupt, typed);
  }
  if (const auto plus = typed.find('+'); plus != std::string::npos) {
    PUNA_TRY(auto base, find_or_pull(context, daemon, interrupt, typed.substr(0, plus)));
    base.model.name += typed.substr(plus);  // whether the adapters fit is the daemon's to say
    return base;
  }
  auto known = daemon.model(std::string(without_catalogue(typed)), interrupt.token());
  const bool elsewhere = typed.contains('/');
  if (!known && known.error().code == Code::not_found && !elsewhere) {
    auto profile = find_profile(daemon, interrupt, typed);
    if (profile || profile.error().code != Code::not_found) return profile;
  }
  if (known || !elsewhere || (known.error().code != Code::not_found && known.error().code != Code::invalid_argument)) return known;
  context.console().err.line(printable(fmt::format("{} is not here yet", typed)));
  return pull_and_find(context, daemon, interrupt, typed);
}

Result<> check_can_chat(const wire::Model& model) {
  const auto& capabilities = model.details.capabilities;
  if (capabilities.empty() || std::ranges::find(capabilities, "completion") != capabilities.end()) return {};
  return fail(Code::unsupported, fmt::format("model {} cannot write text; it is for {}", model.name, join(capabilities, ", ")));
}

Result<> load(Context& context, client::Client& daemon, const Conversation& conversation, const Interrupt& interrupt) {
  ProgressLine line(context.console().err, context.console().err.is_terminal() ? Narration::full : Narration::quiet);
  const auto show = [&](const wire::RunningModel& model) { line.show(fmt::format("loading {}", model.name), model.load_progress); };
  PUNA_CHECK(daemon.load(conversation.model(), {.keep_alive = conversation.settings.keep_alive}, show, interrupt.token()));
  return {};
}

void print_answer(Context& context, const Conversation& conversation, const Answer& answer) {
  json::object out{{"model", conversation.model()}, {"content", answer.content}, {"finish_reason", answer.end.finish_reason}};
  if (!answer.reasoning.empty()) out["reasoning"] = answer.reasoning;
  if (answer.end.usage) out["usage"] = json::encode(*answer.end.usage);
  if (answer.end.timings) out["timings"] = json::encode(*answer.end.timings);
  context.print_json(out);
}

// With "0" the model would leave before the first question.
bool worth_loading(const ChatSettings& settings) {
  const auto keep = settings.keep_alive ? parse_duration(*settings.keep_alive) : Result<Milliseconds>(kForever);
  return keep && *keep > Milliseconds(0);
}

Result<ExitCode> run(Context& context, const Invocation& invocation) {
  auto& console = context.console();
  PUNA_TRY(auto settings, read_settings(invocation));
  const bool as_json = invocation.has("json");
  const bool at_terminal = invocation.rest().empty() && console.input_is_terminal;
  if (at_terminal && (!console.out.is_terminal() || as_json))
    return fail(Code::invalid_argument, "a chat needs a terminal; give a prompt, or pipe one in");
  PUNA_TRY(const auto interrupt, Interrupt::install());
  PUNA_TRY(auto prompt, gather_prompt(context, *interrupt, invocation));
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed, interrupt->token()));
  PUNA_TRY(const auto model, find_or_pull(context, *daemon, *interrupt, invocation.argument("MODEL")));
  PUNA_CHECK(check_can_chat(model.model));
  Conversation conversation(context, model.model.name, std::move(settings));
  if (!prompt.empty()) {
    PUNA_TRY(const auto answer, conversation.ask(std::move(prompt), interrupt->token()));
    if (as_json) print_answer(context, conversation, answer);
    return ExitCode::ok;
  }
  if (!at_terminal || worth_loading(conversation.settings)) PUNA_CHECK(load(context, *daemon, conversation, *interrupt));
  if (at_terminal) PUNA_CHECK(chat_at_terminal(context, *interrupt, conversation, model));
  return ExitCode::ok;
}

}  // namespace

constinit const CommandSpec kRun{
    .name = "run",
    .group = Group::chat,
    .summary = "chat with a model, or ask it one question",
    .description =
        "Loads a model and talks with it. With a prompt, or with text piped in, the answer goes to standard output and the "
        "command ends; text that is piped in comes before the prompt. On a terminal without a prompt a chat begins, which "
        "remembers what was said; /help there tells more. An empty prompt only loads the model.\n\nCtrl-C stops an answer.",
    .arguments = kArguments,
    .options = kOptions,
    .examples = kExamples,
    .prints_data = true,
    .run = run,
};

}  // namespace puna::cli
