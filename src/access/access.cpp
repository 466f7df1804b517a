#include "access/access.h"

#include "base/log.h"
#include "base/settings_registry.h"
#include "base/text.h"
#include "net/url.h"

namespace puna::access {
namespace {

constexpr Milliseconds kFlushAfter{5000};

bool names(const std::string& allowed, std::string_view asked, std::string_view full) {
  if (allowed.ends_with('*')) {
    const auto beginning = lower_ascii(std::string_view(allowed).substr(0, allowed.size() - 1));
    return lower_ascii(full).starts_with(beginning);
  }
  return equal_ignoring_case(allowed, asked) || equal_ignoring_case(allowed, full) ||
         (!allowed.contains(':') && equal_ignoring_case(allowed + ":latest", full));
}

Error spent_up(const Caller& caller, const wire::Budget& budget, const wire::Spent& spent, WallTime now) {
  const auto period = budget.period.value_or(wire::BudgetPeriod::month);
  Error error(Code::overloaded, fmt::format("the budget of {} is spent: {} tokens and {} requests this {}; the next one begins at {}",
                                            caller.name, spent.tokens, spent.requests, json::enum_name(period), spent.until));
  error.context.emplace_back("insufficient_quota");
  error.retry_after = std::chrono::ceil<Milliseconds>(end_of(period, now) - now);
  return error;
}

}  // namespace

Access::Access(Parts parts)
    : io_(parts.io),
      settings_(parts.settings),
      keys_(parts.io, parts.database, parts.clock),
      gate_(keys_, parts.settings, parts.clock),
      limits_(parts.clock),
      usage_(parts.io, parts.database, parts.clock),
      request_log_(std::move(parts.request_log), parts.settings),
      clock_(parts.clock),
      flush_timer_(parts.io.context().get_executor(), [this] { flushing_ = net::spawn(io_, "usage", flush_now(*this)); }) {}

Result<> Access::load() {
  PUNA_CHECK(keys_.load());
  return usage_.load();
}

Access::Turn::~Turn() {
  if (!access_) return;
  const auto found = access_->under_way_.find(client_);
  if (--found->second == 0) access_->under_way_.erase(found);
}

Rate Access::rate_of(const Caller& caller) const {
  if (caller.kind == CallerKind::local) return {};
  if (caller.kind == CallerKind::address && net::is_loopback_host(caller.name)) return {};
  const auto settings = settings_();
  Rate rate{settings->get(setting::kRequestsPerMinute), settings->get(setting::kTokensPerMinute)};
  if (!caller.terms) return rate;
  return {caller.terms->requests_per_minute.value_or(rate.requests), caller.terms->tokens_per_minute.value_or(rate.tokens)};
}

Result<> Access::check_budget(const Caller& caller) const {
  if (!caller.terms || !caller.terms->budget) return {};
  const auto& budget = *caller.terms->budget;
  const auto spent = usage_.spent(caller.id, budget.period.value_or(wire::BudgetPeriod::month));
  const auto running = under_way_.find(caller.id);
  const auto requests = spent.requests + (running == under_way_.end() ? 0 : running->second);
  if ((budget.tokens && spent.tokens >= *budget.tokens) || (budget.requests && requests >= *budget.requests))
    return fail(spent_up(caller, budget, spent, clock_.wall()));
  return {};
}

Result<Access::Turn> Access::begin(const Caller& caller) {
  PUNA_CHECK(check_budget(caller));
  PUNA_CHECK(limits_.take_request(caller.id, rate_of(caller)));
  ++under_way_[caller.id];
  return Turn(*this, caller.id);
}

std::vector<std::pair<std::string, std::string>> Access::limit_headers(const Caller& caller) const {
  return limits_.headers(caller.id, rate_of(caller));
}

Result<> Access::may_use(const std::string& client, std::string_view asked, std::string_view full) const {
  const auto key = keys_.find_id(client);
  if (!key) return {};
  if (key->state != wire::KeyState::active) return fail(Code::unauthenticated, "the API key expired or was revoked");
  if (!key->models) return {};
  for (const auto& allowed : *key->models)
    if (names(allowed, asked, full)) return {};
  return fail(Code::permission_denied,
              fmt::format("model: the key '{}' may not use {}; it may use {}", key->name, printable(asked), join(*key->models, ", ")));
}

void Access::note_key_use(const std::string& id) {
  keys_.note_use(id);
  flush_later();
}

void Access::used(const ModelUse& use) {
  usage_.record(use);
  limits_.take_tokens(use.client, use.tokens_in - use.tokens_cached + use.tokens_out);
  flush_later();
}

wire::ApiKey Access::with_spent(wire::ApiKey key) const {
  if (key.budget) key.spent = usage_.spent(key.id, key.budget->period.value_or(wire::BudgetPeriod::month));
  return key;
}

net::Task<Result<std::vector<wire::UsageRow>>> Access::usage(UsageQuery query) {
  PUNA_CO_CHECK(co_await flush());
  PUNA_CO_TRY(auto rows, co_await net::on_pool(io_, [&] { return usage_.rows(query); }));
  for (auto& row : rows) row.name = keys_.name_of(row.client);
  co_return rows;
}

void Access::flush_later() {
  if (std::exchange(flush_due_, true)) return;
  flush_timer_.set_after(kFlushAfter);
}

net::Task<Result<>> Access::flush() {
  flush_due_ = false;
  flush_timer_.clear();
  const auto uses = keys_.take_uses();
  if (!uses.empty()) PUNA_CO_CHECK(co_await net::on_pool(io_, [&] { return keys_.table().note_uses(uses); }));
  co_return co_await usage_.flush(settings_()->get(setting::kKeepUsage));
}

net::Task<void> Access::flush_now(Access& access) {
  const auto written = co_await access.flush();
  if (written) co_return;
  log::error("access", "usage is not written, and is tried again", {{"error", written.error().text()}});
  access.flush_later();
}

}  // namespace puna::access
