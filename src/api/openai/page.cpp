#include "api/openai/page.h"

#include <algorithm>

#include "api/openai/members.h"
#include "base/text.h"

namespace puna::api::openai {
namespace {

constexpr std::uint64_t kDefaultLimit = 20;
constexpr std::uint64_t kMostItems = 100;

std::string_view id_of(const json::value& item) {
  return item.is_object() ? text_member(item.get_object(), "id") : std::string_view();
}

}  // namespace

std::vector<QueryParameter> page_parameters() {
  return {{"after", "the id after which the page begins"}, {"limit", "1 to 100; default 20"}, {"order", "asc or desc; default desc"}};
}

Result<json::object> page_of(const Call& call, const json::array& all) {
  const auto& query = call.request().query;
  PUNA_TRY(const auto limit, call.number("limit", kDefaultLimit, kMostItems));
  if (limit == 0) return bad("limit", "expected a number from 1 to 100");
  const auto order = query.get("order").value_or("desc");
  if (order != "asc" && order != "desc") return bad("order", "expected asc or desc");
  json::array items = all;
  if (order == "desc") std::ranges::reverse(items);
  auto begin = items.begin();
  if (const auto after = query.get("after")) {
    begin = std::ranges::find(items, *after, id_of);
    if (begin == items.end()) return fail(Code::not_found, fmt::format("after: {} is not in the list", printable(*after)));
    ++begin;
  }
  const auto left = static_cast<std::uint64_t>(items.end() - begin);
  const json::array data(begin, begin + static_cast<std::ptrdiff_t>(std::min(left, limit)));
  json::object out{{"object", "list"}, {"data", data}, {"has_more", left > limit}};
  out["first_id"] = data.empty() ? json::value() : json::value(id_of(data.front()));
  out["last_id"] = data.empty() ? json::value() : json::value(id_of(data.back()));
  return out;
}

}  // namespace puna::api::openai
