// `puna key`, against a scripted daemon.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/cli_testing.h"
#include "wire/access.h"
#include "wire/certificate.h"
#include "wire/system.h"

namespace puna::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

wire::ApiKey key(std::string_view name, wire::KeyState state = wire::KeyState::active) {
  return {.id = "key_01",
          .name = std::string(name),
          .prefix = "puna_8sKx2Q",
          .state = state,
          .scopes = {wire::Scope::inference},
          .created_at = "2026-01-31T12:00:00.000Z"};
}

using KeyCommand = WithDaemon;

TEST_F(KeyCommand, prints_the_new_key_alone_on_standard_output) {
  on_as("POST /api/v1/keys", 201, wire::NewKey{key("laptop"), "puna_8sKx2Qsecret"});
  const auto ran =
      run_words({"key", "create", "laptop", "--scope", "inference", "--scope", "read", "--budget-tokens", "500", "--budget-period", "day"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "puna_8sKx2Qsecret\n");
  EXPECT_THAT(ran.err, Not(HasSubstr("secret")));
  EXPECT_EQ(daemon_->asked().front(),
            R"(POST /api/v1/keys {"name":"laptop","scopes":["inference","read"],"budget":{"tokens":500,"period":"day"}})");
}

TEST_F(KeyCommand, names_what_a_scope_may_be) {
  const auto ran = run_words({"key", "create", "laptop", "--scope", "root"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("'root' is none of inference, metrics, read, manage, admin"));
}

TEST_F(KeyCommand, lists_keys_that_are_good_unless_all_are_asked_for) {
  on_as("GET /api/v1/keys", 200, wire::KeyList{{key("laptop"), key("lost", wire::KeyState::revoked)}});
  EXPECT_THAT(run_words({"key", "list"}).out, Not(HasSubstr("lost")));
  EXPECT_THAT(run_words({"key", "list", "--all"}).out, HasSubstr("revoked"));
}

TEST_F(KeyCommand, shows_what_is_spent_of_a_budget) {
  auto guest = key("guest");
  guest.budget = wire::Budget{.tokens = 1000};
  guest.spent = wire::Spent{.tokens = 250};
  on_as("GET /api/v1/keys/guest", 200, guest);
  EXPECT_THAT(run_words({"key", "show", "guest"}).out, HasSubstr("250 of 1000 tokens this month"));
}

TEST_F(KeyCommand, revokes_by_name) {
  on_as("DELETE /api/v1/keys/laptop", 200, key("laptop", wire::KeyState::revoked));
  EXPECT_THAT(run_words({"key", "revoke", "laptop"}).err, HasSubstr("refused from now on"));
}

TEST_F(KeyCommand, makes_a_certificate_and_tells_how_clients_trust_it) {
  on_as("POST /api/v1/certificate", 200,
        wire::Certificate{.names = {"box", "192.168.1.5"},
                          .expires_at = "2027-01-31T12:00:00.000Z",
                          .fingerprint = "AB:CD",
                          .authority = "/data/tls/authority.pem",
                          .made = true,
                          .in_use = true});
  on_as("GET /api/v1/settings", 200, wire::SettingsView{.settings = {{.key = "server.port", .value = "8443"}}});
  const auto ran = run_words({"key", "tls", "--name", "box", "--name", "192.168.1.5", "--days", "90", "--renew"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(daemon_->asked().front(), R"(POST /api/v1/certificate {"names":["box","192.168.1.5"],"days":90,"renew":true})");
  EXPECT_THAT(ran.out, AllOf(HasSubstr("box, 192.168.1.5"), HasSubstr("AB:CD")));
  EXPECT_THAT(ran.err, AllOf(HasSubstr("curl --cacert"), HasSubstr("SSL_CERT_FILE"), HasSubstr("https://box:8443")));
  EXPECT_THAT(ran.err, Not(HasSubstr("warning")));
}

}  // namespace
}  // namespace puna::cli
