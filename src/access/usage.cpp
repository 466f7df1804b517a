#include "access/usage.h"

namespace puna::access {
namespace {

using store::Reader;
using store::Transaction;

using Days = std::chrono::sys_days;

std::chrono::year_month_day date_of(WallTime time) {
  return std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(time));
}

struct BudgetRow {
  std::string client;
  std::string day;
  std::int64_t tokens = 0;
  std::int64_t requests = 0;
};
BOOST_DESCRIBE_STRUCT(BudgetRow, (), (client, day, tokens, requests))

struct UsageDayRow {
  std::string day;
  std::string client;
  std::string model;
  std::int64_t requests = 0;
  std::int64_t failures = 0;
  std::int64_t tokens_in = 0;
  std::int64_t tokens_cached = 0;
  std::int64_t tokens_out = 0;
  std::int64_t first_token_ms = 0;
  std::int64_t duration_ms = 0;
};
BOOST_DESCRIBE_STRUCT(UsageDayRow, (),
                      (day, client, model, requests, failures, tokens_in, tokens_cached, tokens_out, first_token_ms, duration_ms))

constexpr std::string_view kAdd =
    "INSERT INTO usage_days (day, client, model, requests, failures, tokens_in, tokens_cached, tokens_out, first_token_ms, duration_ms) "
    "VALUES (:day, :client, :model, :requests, :failures, :tokens_in, :tokens_cached, :tokens_out, :first_token_ms, :duration_ms) "
    "ON CONFLICT (day, client, model) DO UPDATE SET requests = usage_days.requests + excluded.requests, "
    "failures = usage_days.failures + excluded.failures, tokens_in = usage_days.tokens_in + excluded.tokens_in, "
    "tokens_cached = usage_days.tokens_cached + excluded.tokens_cached, tokens_out = usage_days.tokens_out + excluded.tokens_out, "
    "first_token_ms = usage_days.first_token_ms + excluded.first_token_ms, duration_ms = usage_days.duration_ms + excluded.duration_ms";

}  // namespace

std::string day_of(WallTime time) {
  return format_time(time).substr(0, std::string_view("2026-01-31").size());
}

std::string period_of(wire::BudgetPeriod period, WallTime time) {
  return period == wire::BudgetPeriod::day ? day_of(time) : day_of(time).substr(0, std::string_view("2026-01").size());
}

WallTime end_of(wire::BudgetPeriod period, WallTime time) {
  const auto date = date_of(time);
  if (period == wire::BudgetPeriod::day) return Days(date) + std::chrono::days(1);
  return Days(date.year() / date.month() / 1 + std::chrono::months(1));
}

void UsageBook::add(Total& total, const std::string& period, std::int64_t tokens, std::int64_t requests) {
  if (total.period != period) total = {.period = period};
  total.tokens += tokens;
  total.requests += requests;
}

Result<> UsageBook::load() {
  const auto now = clock_.wall();
  const auto today = day_of(now), month = period_of(wire::BudgetPeriod::month, now);
  PUNA_TRY(const auto rows, database_.read([&](Reader& reader) {
    return reader.query_as<BudgetRow>(
        "SELECT client, day, sum(tokens_in + tokens_out) AS tokens, sum(requests - failures) AS requests "
        "FROM usage_days WHERE day >= :first GROUP BY client, day",
        {{"first", month + "-01"}});
  }));
  for (const auto& row : rows) {
    auto& totals = totals_[row.client];
    add(totals.month, month, row.tokens, row.requests);
    if (row.day == today) add(totals.day, today, row.tokens, row.requests);
  }
  return {};
}

void UsageBook::record(const ModelUse& use) {
  const auto now = clock_.wall();
  auto& sums = pending_[{day_of(now), use.client, use.model}];
  sums.requests += 1;
  sums.failures += use.failed ? 1 : 0;
  sums.tokens_in += use.tokens_in;
  sums.tokens_cached += use.tokens_cached;
  sums.tokens_out += use.tokens_out;
  sums.first_token_ms += use.first_token.count();
  sums.duration_ms += use.duration.count();
  auto& totals = totals_[use.client];
  for (const auto period : {wire::BudgetPeriod::day, wire::BudgetPeriod::month})
    add(period == wire::BudgetPeriod::day ? totals.day : totals.month, period_of(period, now), use.tokens_in + use.tokens_out,
        use.failed ? 0 : 1);
}

wire::Spent UsageBook::spent(std::string_view client, wire::BudgetPeriod period) const {
  const auto now = clock_.wall();
  wire::Spent out{.until = format_time(end_of(period, now))};
  const auto found = totals_.find(client);
  if (found == totals_.end()) return out;
  const auto& total = period == wire::BudgetPeriod::day ? found->second.day : found->second.month;
  if (total.period != period_of(period, now)) return out;
  out.tokens = total.tokens;
  out.requests = total.requests;
  return out;
}

net::Task<Result<>> UsageBook::flush(Milliseconds keep) {
  if (pending_.empty()) co_return Result<>{};
  const auto sums = std::exchange(pending_, {});
  const auto oldest = keep == kForever ? std::string() : day_of(clock_.wall() - keep);
  auto written = co_await net::on_pool(io_, [&] { return write(sums, oldest); });
  if (written) co_return written;
  for (const auto& [key, lost] : sums) {
    auto& sum = pending_[key];
    sum.requests += lost.requests;
    sum.failures += lost.failures;
    sum.tokens_in += lost.tokens_in;
    sum.tokens_cached += lost.tokens_cached;
    sum.tokens_out += lost.tokens_out;
    sum.first_token_ms += lost.first_token_ms;
    sum.duration_ms += lost.duration_ms;
  }
  co_return written;
}

Result<> UsageBook::write(const std::map<Key, Sums>& sums, const std::string& oldest) const {
  return database_.write([&](Transaction& tx) -> Result<> {
    for (const auto& [key, sum] : sums) {
      const auto& [day, client, model] = key;
      PUNA_CHECK(tx.execute(kAdd, {{"day", day},
                                   {"client", client},
                                   {"model", model},
                                   {"requests", sum.requests},
                                   {"failures", sum.failures},
                                   {"tokens_in", sum.tokens_in},
                                   {"tokens_cached", sum.tokens_cached},
                                   {"tokens_out", sum.tokens_out},
                                   {"first_token_ms", sum.first_token_ms},
                                   {"duration_ms", sum.duration_ms}}));
    }
    if (!oldest.empty()) PUNA_CHECK(tx.execute("DELETE FROM usage_days WHERE day < :oldest", {{"oldest", oldest}}));
    return {};
  });
}

Result<std::vector<wire::UsageRow>> UsageBook::rows(const UsageQuery& query) const {
  std::string sql = "SELECT * FROM usage_days WHERE day >= :from AND day <= :to";
  store::Parameters parameters{{"from", query.from}, {"to", query.to.empty() ? std::string_view("9999-12-31") : query.to}};
  if (query.client) {
    sql += " AND client = :client";
    parameters.emplace_back("client", *query.client);
  }
  if (query.model) {
    sql += " AND model = :model";
    parameters.emplace_back("model", *query.model);
  }
  sql += " ORDER BY day DESC, client, model";
  PUNA_TRY(const auto rows, database_.read([&](Reader& reader) { return reader.query_as<UsageDayRow>(sql, parameters); }));
  std::vector<wire::UsageRow> out;
  for (const auto& row : rows)
    out.push_back({.day = row.day,
                   .client = row.client,
                   .model = row.model,
                   .requests = row.requests,
                   .failures = row.failures,
                   .tokens_in = row.tokens_in,
                   .tokens_cached = row.tokens_cached,
                   .tokens_out = row.tokens_out,
                   .first_token_ms = row.first_token_ms,
                   .duration_ms = row.duration_ms});
  return out;
}

}  // namespace puna::access
