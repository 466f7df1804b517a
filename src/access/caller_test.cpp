#include "access/owner.h"

#include <gtest/gtest.h>

namespace puna::access {
namespace {

using wire::Scope;

TEST(Caller, a_scope_includes_what_is_less) {
  const Caller manager{.scopes = {Scope::manage}};
  EXPECT_TRUE(manager.may(Scope::read));
  EXPECT_TRUE(manager.may(Scope::metrics));
  EXPECT_FALSE(manager.may(Scope::inference));
  EXPECT_FALSE(manager.may(Scope::admin));
  EXPECT_TRUE((Caller{.scopes = {Scope::admin}}.may(Scope::inference)));
  EXPECT_FALSE((Caller{.scopes = {Scope::metrics}}.may(Scope::read)));
}

TEST(Caller, without_a_key_is_the_user_or_the_address) {
  EXPECT_EQ(caller_without_key({.unix_socket = true, .uid = 1000}).id, "local");
  EXPECT_EQ(caller_without_key({.address = "127.0.0.1", .port = 4711}).id, "addr:127.0.0.1");
}

TEST(Caller, a_program_on_loopback_without_a_key_is_not_the_owner) {
  const auto program = caller_without_key({.address = "127.0.0.1", .port = 4711});
  ASSERT_TRUE(program.may(Scope::admin));
  EXPECT_EQ(require_owner(program, "this").error().code, Code::permission_denied);
  EXPECT_TRUE(require_owner(caller_without_key({.unix_socket = true, .uid = 1000}), "this"));
  EXPECT_TRUE(require_owner({.kind = CallerKind::key, .scopes = {Scope::admin}}, "this"));
  EXPECT_FALSE(require_owner({.kind = CallerKind::key, .scopes = {Scope::manage}}, "this"));
}

TEST(Caller, a_refusal_names_the_scope) {
  const auto refused = require_scope({.name = "laptop", .scopes = {Scope::inference}}, Scope::manage);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::permission_denied);
  EXPECT_NE(refused.error().message.find("manage"), std::string::npos);
}

}  // namespace
}  // namespace puna::access
