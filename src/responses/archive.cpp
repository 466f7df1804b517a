#include "responses/archive.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"

namespace puna::responses {
namespace {

using store::Reader;
using store::Transaction;

constexpr std::size_t kLongestConversation = 1000;  // responses

Error gone(std::string_view id) {
  return {Code::not_found,
          fmt::format("response {} is not kept here (any more): it was not stored, was deleted, or was not used for long", printable(id))};
}

Result<> insert(Transaction& tx, const Kept& kept, std::int64_t bytes) {
  auto parameters = store::parameters_of(kept);
  parameters.emplace_back("bytes", bytes);
  PUNA_CHECK(
      tx.execute("INSERT INTO responses (id, owner, previous_id, response, input, bytes, created_at, used_at) VALUES (:id, :owner, "
                 ":previous_id, :response, :input, :bytes, :created_at, :used_at)",
                 parameters));
  return {};
}

// Ages out, then makes room.
Result<> prune(Transaction& tx, const Bounds& bounds, WallTime now) {
  if (bounds.time != kForever)
    PUNA_CHECK(tx.execute("DELETE FROM responses WHERE used_at < :oldest", {{"oldest", WallTime(now - bounds.time)}}));
  PUNA_TRY(auto total, tx.query_value<std::int64_t>("SELECT COALESCE(SUM(bytes), 0) FROM responses"));
  if (total <= static_cast<std::int64_t>(bounds.size.count)) return {};
  PUNA_TRY(const auto rows, tx.query("SELECT id, bytes FROM responses ORDER BY used_at, id"));
  for (const auto& row : rows) {
    if (total <= static_cast<std::int64_t>(bounds.size.count)) break;
    PUNA_TRY(const auto id, row.get_at<std::string>(0));
    PUNA_TRY(const auto bytes, row.get_at<std::int64_t>(1));
    PUNA_CHECK(tx.execute("DELETE FROM responses WHERE id = :id", {{"id", id}}));
    total -= bytes;
  }
  return {};
}

Result<Kept> read_one(Reader& reader, std::string_view owner, std::string_view id) {
  PUNA_TRY(auto found,
           reader.find_as<Kept>("SELECT id, owner, previous_id, response, input, created_at, used_at FROM responses WHERE id = :id AND "
                                "owner = :owner",
                                {{"id", id}, {"owner", owner}}));
  if (!found) return fail(gone(id));
  return std::move(*found);
}

}  // namespace

Archive::Archive(net::Io& io, store::Database& database, std::function<Bounds()> bounds)
    : io_(io), database_(database), bounds_(std::move(bounds)), written_(io) {}

void Archive::keep(Kept kept) {
  auto shared = std::make_shared<const Kept>(std::move(kept));
  on_the_way_.insert_or_assign(shared->id, shared);
  net::spawn(io_, "keep a response", write(std::move(shared))).detach();
}

net::Task<void> Archive::write(std::shared_ptr<const Kept> kept) {
  const auto bounds = bounds_();
  const auto written = co_await net::on_pool(io_, [&] {
    return database_.write([&](Transaction& tx) -> Result<> {
      const auto bytes = json::to_text(kept->response).size() + json::to_text(kept->input).size();
      PUNA_CHECK(insert(tx, *kept, static_cast<std::int64_t>(bytes)));
      return prune(tx, bounds, kept->used_at);
    });
  });
  if (!written) log::error("responses", "a response is not kept", {{"response", kept->id}, {"error", written.error().text()}});
  on_the_way_.erase(kept->id);
  written_.notify();
}

net::Task<Result<Kept>> Archive::find(std::string owner, std::string id) {
  if (const auto pending = on_the_way_.find(id); pending != on_the_way_.end()) {
    if (pending->second->owner != owner) co_return fail(gone(id));
    co_return *pending->second;
  }
  co_return co_await net::on_pool(io_, [&] { return database_.read([&](Reader& reader) { return read_one(reader, owner, id); }); });
}

net::Task<Result<std::vector<Kept>>> Archive::conversation(std::string owner, std::string id) {
  std::vector<Kept> out;
  std::optional<std::string> next = std::move(id);
  while (next) {
    if (out.size() == kLongestConversation)
      co_return fail(Code::too_large, fmt::format("previous_response_id: the conversation has more than {} responses", out.size()));
    PUNA_CO_TRY(auto kept, co_await find(owner, *next));
    next = kept.previous_id;
    out.push_back(std::move(kept));
  }
  std::ranges::reverse(out);
  co_return co_await net::on_pool(io_, [&]() -> Result<std::vector<Kept>> {
    PUNA_CHECK(database_.write([&](Transaction& tx) -> Result<> {
      for (const auto& kept : out)
        PUNA_CHECK(
            tx.execute("UPDATE responses SET used_at = :now WHERE id = :id", {{"now", std::chrono::system_clock::now()}, {"id", kept.id}}));
      return {};
    }));
    return std::move(out);
  });
}

net::Task<Result<>> Archive::remove(std::string owner, std::string id) {
  if (on_the_way_.contains(id)) PUNA_CO_CHECK(co_await flush(std::chrono::seconds(10)));
  co_return co_await net::on_pool(io_, [&] {
    return database_.write([&](Transaction& tx) -> Result<> {
      PUNA_TRY(const auto removed, tx.execute("DELETE FROM responses WHERE id = :id AND owner = :owner", {{"id", id}, {"owner", owner}}));
      return removed == 1 ? Result<>{} : fail(gone(id));
    });
  });
}

net::Task<Result<>> Archive::flush(Milliseconds limit) {
  const auto due = net::deadline_after(limit);
  while (true) {
    const auto seen = written_.epoch();
    if (on_the_way_.empty()) co_return Result<>();
    PUNA_CO_CHECK(co_await written_.wait(seen, std::chrono::ceil<Milliseconds>(due - std::chrono::steady_clock::now())));
  }
}

}  // namespace puna::responses
