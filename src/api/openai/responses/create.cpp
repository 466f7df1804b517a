#include "api/openai/responses/create.h"

#include "api/openai/prepare.h"
#include "api/openai/responses/items.h"
#include "api/openai/responses/rendering.h"
#include "api/openai/responses/request.h"

namespace puna::api::openai::responses {
namespace {

// The items of the responses before it, then its own.
net::Task<Result<json::array>> all_items(app::Workbench& workbench, const std::string& owner, const Request& request) {
  json::array out;
  if (request.previous) {
    auto before = co_await workbench.responses().conversation(owner, *request.previous);
    if (!before) co_return fail(std::move(before).error().within("previous_response_id"));
    for (const auto& kept : *before) {
      const auto& input = kept.input.as_array();
      const auto& output = kept.response.as_object().at("output").as_array();
      out.insert(out.end(), input.begin(), input.end());
      out.insert(out.end(), output.begin(), output.end());
    }
  }
  out.insert(out.end(), request.input.begin(), request.input.end());
  co_return out;
}

}  // namespace

std::string owner_of(const access::Caller& caller) {
  return caller.kind == access::CallerKind::key ? caller.id : std::string();
}

net::Task<Result<Inference>> prepare(app::Workbench& workbench, std::string owner, std::string_view body) {
  PUNA_CO_TRY(auto request, read_request(body));
  PUNA_CO_TRY(const auto items, co_await all_items(workbench, owner, request));
  request.chat["messages"] = messages_of(request.instructions, items);
  PUNA_CO_TRY(auto chat, validate(Endpoint::chat, std::move(request.chat)));
  PUNA_CO_TRY(auto inference, co_await openai::prepare(workbench, Endpoint::chat, std::move(chat)));
  const bool stored = request.store && workbench.responses().keeps();
  auto keep = [&archive = workbench.responses(), stored, owner = std::move(owner), previous = std::move(request.previous),
               input = std::move(request.input)](const json::object& response) {
    if (!stored) return;
    const auto now = std::chrono::system_clock::now();
    archive.keep({.id = std::string(response.at("id").as_string()),
                  .owner = owner,
                  .previous_id = previous,
                  .response = response,
                  .input = input,
                  .created_at = now,
                  .used_at = now});
  };
  inference.rendering = make_rendering(Answer(std::move(request.echo), stored), std::move(keep));
  co_return inference;
}

}  // namespace puna::api::openai::responses
