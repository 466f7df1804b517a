#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/hub_sheet.h"
#include "cli/invocation.h"
#include "cli/screen/table.h"
#include "cli/screen/time_text.h"
#include "cli/text.h"

namespace puna::cli {
namespace {

constexpr std::int64_t kMostResults = 1000;
constexpr std::int64_t kLargestPage = 100;

constexpr std::array kArguments = {ArgumentSpec{
    .name = "WORDS", .help = "what to look for; or a repository (owner/repo), to see its quantizations", .occurs = Occurs::any}};
constexpr std::array kOptions = {
    OptionSpec{.name = "catalogue", .value = "NAME", .help = "huggingface, or modelscope"},
    OptionSpec{.name = "sort", .value = "ORDER", .help = "trending, downloads, likes, updated or created"},
    OptionSpec{.name = "owner", .value = "NAME", .help = "only this owner's models"},
    OptionSpec{.name = "licence", .value = "NAME", .help = "only with this licence, such as apache-2.0"},
    OptionSpec{.name = "task", .value = "NAME", .help = "only for this task, such as text-generation"},
    OptionSpec{.name = "any", .letter = 'a', .help = "also repositories without GGUF files"},
    OptionSpec{.name = "limit", .letter = 'n', .value = "N", .help = "at most so many results; else 20"},
    OptionSpec{.name = "card", .help = "of a repository: its model card, too"},
};
constexpr std::array kExamples = {
    Example{"puna search qwen3 instruct --sort downloads", "models with both words in their name"},
    Example{"puna search ggml-org/SmolVLM-256M-Instruct-GGUF", "its quantizations, their sizes, and what fits into memory"},
    Example{"puna search gemma --licence apache-2.0 --json | jq -r '.models[].source'", "what `puna pull` takes, for a script"}};

// A repository, a page or another thing that can be pulled, rather than words.
bool is_reference(const std::vector<std::string>& words) {
  return words.size() == 1 && (words[0].contains('/') || words[0].contains("://"));
}

net::Query query_of(const Invocation& invocation, std::int64_t limit) {
  net::Query out;
  if (const auto words = join(invocation.rest(), " "); !words.empty()) out.add("q", words);
  for (const std::string_view name : {"catalogue", "sort", "owner", "licence", "task"})
    if (auto value = invocation.text(name)) out.add(std::string(name), std::move(*value));
  if (invocation.has("any")) out.add("format", "any");
  out.add("limit", std::to_string(std::min(limit, kLargestPage)));
  return out;
}

// Page after page, until there is enough.
Result<wire::HubPage> collect(client::Client& daemon, const Invocation& invocation, std::int64_t limit, const std::stop_token& stop) {
  const auto question = query_of(invocation, limit);
  PUNA_TRY(auto found, daemon.search_hub(question, stop));
  while (found.next && static_cast<std::int64_t>(found.models.size()) < limit) {
    auto further = question;
    further.add("cursor", *found.next);
    PUNA_TRY(auto page, daemon.search_hub(further, stop));
    found.next = std::move(page.next);
    for (auto& model : page.models) found.models.push_back(std::move(model));
    if (page.models.empty()) break;
  }
  if (static_cast<std::int64_t>(found.models.size()) > limit) found.models.resize(static_cast<std::size_t>(limit));
  return found;
}

void print(Context& context, const wire::HubPage& page, std::int64_t limit) {
  Table table({{.title = "MODEL", .gives_way = true},
               {.title = "DOWNLOADS", .align = Align::right},
               {.title = "LIKES", .align = Align::right},
               {"UPDATED"},
               {.title = "LICENCE", .gives_way = true}});
  for (const auto& hit : page.models)
    table.add({hit.gated ? hit.source + " (gated)" : hit.source, hit.downloads ? rounded_count(*hit.downloads) : "",
               hit.likes ? rounded_count(*hit.likes) : "", hit.updated_at ? time_ago(*hit.updated_at, context.now()) : "",
               hit.licence.value_or("")});
  table.print(context.console().out);
  if (page.next) context.console().err.line(fmt::format("there are more: --limit {} shows them", limit * 2));
}

Result<ExitCode> show_repository(Context& context, client::Client& daemon, const Invocation& invocation, const std::stop_token& stop) {
  const auto& source = invocation.rest().front();
  const auto card = invocation.has("card") ? client::Client::Card::bring : client::Client::Card::leave;
  PUNA_TRY(const auto model, daemon.hub_model(source, card, stop));
  if (invocation.has("json")) {
    context.print_json(model);
    return ExitCode::ok;
  }
  print_hub_model(context, model);
  const auto chosen = std::ranges::find(model.variants, true, &wire::HubVariant::chosen);
  if (chosen != model.variants.end())
    context.console().err.line(printable(
        fmt::format("\n`puna pull {}:{}` brings one; * is what a pull takes when nobody says", model.about.source, chosen->name)));
  return ExitCode::ok;
}

Result<ExitCode> search(Context& context, const Invocation& invocation) {
  PUNA_TRY(const auto limit, invocation.number("limit", 20, 1, kMostResults));
  PUNA_TRY(const auto interrupt, Interrupt::install());
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed, interrupt->token()));
  if (is_reference(invocation.rest())) return show_repository(context, *daemon, invocation, interrupt->token());
  if (invocation.has("card")) return fail(Code::invalid_argument, "--card needs a repository: puna search owner/repo --card");
  PUNA_TRY(const auto page, collect(*daemon, invocation, limit, interrupt->token()));
  if (invocation.has("json")) {
    context.print_json(page);
    return ExitCode::ok;
  }
  if (page.models.empty())
    context.console().err.line("nothing is called like that; fewer words find more, and --any looks beyond GGUF");
  else
    print(context, page, limit);
  return ExitCode::ok;
}

}  // namespace

constinit const CommandSpec kSearch{
    .name = "search",
    .group = Group::models,
    .summary = "find models to pull",
    .description =
        "Finds models on Hugging Face (or ModelScope) that have GGUF files, and shows their downloads, likes, age and licence. With a "
        "repository instead of words it shows the repository's quantizations: their sizes, the memory they need with the context length of "
        "the "
        "settings, and whether this machine has it.",
    .arguments = kArguments,
    .options = kOptions,
    .examples = kExamples,
    .prints_data = true,
    .run = search,
};

}  // namespace puna::cli
