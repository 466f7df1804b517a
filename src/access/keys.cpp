#include "access/keys.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <tuple>

#include "access/key_text.h"
#include "base/id.h"
#include "base/text.h"
#include "os/sha256.h"

namespace puna::access {
namespace {

constexpr std::size_t kLongestName = 64;
constexpr std::size_t kMostKeys = 10'000;
constexpr double kMostWeight = 1000;
// Finding the key by a part of its digest may take a time that tells about that part; the rest is compared in constant time.
constexpr std::size_t kFoundBy = 8;

bool same_digest(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Result<> check_positive(std::string_view member, const std::optional<std::int64_t>& number, std::int64_t least) {
  if (!number || *number >= least) return {};
  return fail(Code::invalid_argument, fmt::format("{}: {} is less than {}", member, *number, least));
}

Result<> check(const wire::KeyRequest& request) {
  if (request.name.empty() || request.name.size() > kLongestName || printable(request.name) != request.name)
    return fail(Code::invalid_argument, fmt::format("name: expected 1 to {} printable characters", kLongestName));
  if (request.scopes && request.scopes->empty()) return fail(Code::invalid_argument, "scopes: a key that allows nothing is of no use");
  if (request.models && request.models->empty()) return fail(Code::invalid_argument, "models: name at least one, or leave it out for all");
  if (request.weight && !(*request.weight > 0 && *request.weight <= kMostWeight))
    return fail(Code::invalid_argument, fmt::format("weight: expected more than 0 and at most {}", kMostWeight));
  PUNA_CHECK(check_positive("requests_per_minute", request.requests_per_minute, 0));
  PUNA_CHECK(check_positive("tokens_per_minute", request.tokens_per_minute, 0));
  if (!request.budget) return {};
  if (!request.budget->tokens && !request.budget->requests) return fail(Code::invalid_argument, "budget: give tokens or requests");
  PUNA_CHECK(check_positive("budget.tokens", request.budget->tokens, 1));
  return check_positive("budget.requests", request.budget->requests, 1);
}

Result<std::optional<WallTime>> expiry(const wire::KeyRequest& request, WallTime now) {
  if (!request.expires_in) return std::optional<WallTime>{};
  auto life = parse_duration(*request.expires_in);
  if (!life) return fail(Code::invalid_argument, "expires_in: " + life.error().message);
  if (*life == kForever) return std::optional<WallTime>{};
  if (*life <= Milliseconds(0)) return fail(Code::invalid_argument, "expires_in: the key would have expired already");
  return std::optional<WallTime>(now + *life);
}

// A name that nobody else has at the same time.
class Claim {
 public:
  Claim(std::set<std::string>& names, std::string name) : names_(names) { std::tie(at_, first_) = names.insert(std::move(name)); }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  ~Claim() {
    if (first_) names_.erase(at_);
  }
  explicit operator bool() const { return first_; }

 private:
  std::set<std::string>& names_;
  std::set<std::string>::iterator at_;
  bool first_ = false;
};

Error wrong_key() {
  return {Code::unauthenticated, "the API key is wrong, expired or revoked; `puna key list` shows the keys, `puna key create` makes one"};
}

}  // namespace

Keys::Keys(net::Io& io, store::Database& database, const Clock& clock) : io_(io), table_(database), clock_(clock), revocations_(io) {}

Result<> Keys::load() {
  PUNA_TRY(auto rows, table_.load());
  for (auto& row : rows) {
    PUNA_TRY(auto terms, json::decode<wire::KeyRequest>(row.terms, json::Unknown::ignore));
    by_digest_.emplace(row.sha256.substr(0, kFoundBy), row.id);
    auto id = row.id;
    keys_.emplace(std::move(id), Key{std::move(row), std::make_shared<const wire::KeyRequest>(std::move(terms)), false});
  }
  return {};
}

net::Task<Result<wire::NewKey>> Keys::create(wire::KeyRequest request) {
  PUNA_CO_CHECK(check(request));
  const auto* same = look_up(request.name);
  const Claim claim(being_made_, lower_ascii(request.name));  // while its row is written, another request may come for the name
  if ((same && state_of(*same) == wire::KeyState::active) || !claim)
    co_return fail(Code::already_exists, fmt::format("there is a key '{}' already; revoke it, or choose another name", request.name));
  if (keys_.size() >= kMostKeys) co_return fail(Code::too_large, fmt::format("there are {} keys already", kMostKeys));
  PUNA_CO_TRY(const auto expires, expiry(request, clock_.wall()));
  PUNA_CO_TRY(const auto text, new_key_text());
  PUNA_CO_TRY(const auto digest, os::sha256_of(text.reveal()));
  if (!request.scopes) request.scopes = {wire::Scope::inference};
  KeyRow row{.id = "key_" + lower_ascii(new_ulid()),
             .name = request.name,
             .prefix = shown_beginning(text.reveal()),
             .sha256 = digest,
             .terms = json::encode(request),
             .created_at = clock_.wall(),
             .expires_at = expires};
  PUNA_CO_CHECK(co_await net::on_pool(io_, [this, &row] { return table_.insert(row); }));
  by_digest_.emplace(digest.substr(0, kFoundBy), row.id);
  auto id = row.id;
  const auto [place, inserted] =
      keys_.emplace(std::move(id), Key{std::move(row), std::make_shared<const wire::KeyRequest>(std::move(request)), false});
  co_return wire::NewKey{view(place->second), std::string(text.reveal())};
}

net::Task<Result<wire::ApiKey>> Keys::revoke(std::string id_or_name) {
  PUNA_CO_TRY(const auto found, find(id_or_name));
  auto& key = keys_.find(found.id)->second;
  if (key.row.revoked_at) co_return found;
  key.row.revoked_at = clock_.wall();
  revocations_.notify();
  PUNA_CO_CHECK(co_await net::on_pool(io_, [this, id = key.row.id, when = *key.row.revoked_at] { return table_.revoke(id, when); }));
  co_return view(key);
}

wire::KeyState Keys::state_of(const Key& key) const {
  if (key.row.revoked_at) return wire::KeyState::revoked;
  return key.row.expires_at && *key.row.expires_at <= clock_.wall() ? wire::KeyState::expired : wire::KeyState::active;
}

wire::ApiKey Keys::view(const Key& key) const {
  const auto& terms = *key.terms;
  const auto text = [](const std::optional<WallTime>& time) { return time ? std::optional(format_time(*time)) : std::nullopt; };
  return {.id = key.row.id,
          .name = key.row.name,
          .prefix = key.row.prefix,
          .state = state_of(key),
          .scopes = terms.scopes.value_or(std::vector<wire::Scope>{}),
          .models = terms.models,
          .weight = terms.weight.value_or(1),
          .priority = terms.priority.value_or(wire::Priority::normal),
          .requests_per_minute = terms.requests_per_minute,
          .tokens_per_minute = terms.tokens_per_minute,
          .budget = terms.budget,
          .created_at = format_time(key.row.created_at),
          .expires_at = text(key.row.expires_at),
          .revoked_at = text(key.row.revoked_at),
          .last_used_at = text(key.row.last_used_at)};
}

const Keys::Key* Keys::look_up(std::string_view id_or_name) const {
  if (const auto found = keys_.find(id_or_name); found != keys_.end()) return &found->second;
  const Key* best = nullptr;
  for (const auto& [id, key] : keys_)
    if (equal_ignoring_case(key.row.name, id_or_name) && (!best || state_of(key) == wire::KeyState::active)) best = &key;
  return best;
}

std::vector<wire::ApiKey> Keys::list() const {
  std::vector<wire::ApiKey> out;
  for (const auto& [id, key] : keys_) out.push_back(view(key));
  std::ranges::sort(out, std::ranges::greater{}, [](const wire::ApiKey& key) { return std::pair(key.created_at, key.id); });
  return out;
}

Result<wire::ApiKey> Keys::find(std::string_view id_or_name) const {
  if (const auto* key = look_up(id_or_name)) return view(*key);
  return fail(Code::not_found, fmt::format("there is no key '{}'; see `puna key list`", printable(id_or_name)));
}

std::optional<wire::ApiKey> Keys::find_id(const std::string& id) const {
  const auto found = keys_.find(id);
  return found == keys_.end() ? std::nullopt : std::optional(view(found->second));
}

std::string Keys::name_of(std::string_view id) const {
  const auto found = keys_.find(id);
  return found == keys_.end() ? std::string(id) : found->second.row.name;
}

bool Keys::any_active() const {
  return std::ranges::any_of(keys_, [this](const auto& entry) { return state_of(entry.second) == wire::KeyState::active; });
}

bool Keys::is_revoked(std::string_view id) const {
  const auto found = keys_.find(id);
  return found == keys_.end() || found->second.row.revoked_at.has_value();
}

Result<Caller> Keys::identify(std::string_view text) const {
  PUNA_TRY(const auto digest, os::sha256_of(text));
  const auto [begin, end] = by_digest_.equal_range(digest.substr(0, kFoundBy));
  for (auto place = begin; place != end; ++place) {
    const auto& key = keys_.find(place->second)->second;
    if (!same_digest(key.row.sha256, digest)) continue;
    if (state_of(key) != wire::KeyState::active) break;
    return Caller{.kind = CallerKind::key,
                  .id = key.row.id,
                  .name = fmt::format("the key '{}'", key.row.name),
                  .scopes = key.terms->scopes.value_or(std::vector<wire::Scope>{}),
                  .weight = key.terms->weight.value_or(1),
                  .priority = key.terms->priority.value_or(wire::Priority::normal),
                  .terms = key.terms};
  }
  return fail(wrong_key());
}

void Keys::note_use(std::string_view id) {
  const auto found = keys_.find(id);
  if (found == keys_.end()) return;
  found->second.row.last_used_at = clock_.wall();
  found->second.used = true;
}

std::vector<KeyTable::Use> Keys::take_uses() {
  std::vector<KeyTable::Use> out;
  for (auto& [id, key] : keys_)
    if (std::exchange(key.used, false)) out.push_back({id, *key.row.last_used_at});
  return out;
}

}  // namespace puna::access
