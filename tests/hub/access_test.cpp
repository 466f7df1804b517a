// Who may have what, and what is said when it is refused.
#include "hub_testing.h"

namespace puna::hub {
namespace {

using namespace testing_rig;
using fakes::Role;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Access : public HubTest {
 protected:
  Access() {
    fakes::UserSpec ada;
    ada.token = kToken;
    ada.name = "ada";
    ada.accepted = {"bob/gated"};
    hub->add(ada);
    fakes::RepositorySpec gated;
    gated.id = "bob/gated";
    gated.gated = "manual";
    gated.files = {fakes::file("tiny.Q4_K_M.gguf", model_file(200'000, 7))};
    EXPECT_TRUE(hub->add(gated));
  }
  Rig& with_token(std::string token = std::string(kToken)) { return start({{"hub.token", std::move(token)}}); }
};

TEST_F(Access, a_token_goes_to_the_hub_and_nowhere_else) {
  offer();
  with_token();
  arrives(model);
  EXPECT_GT(hub->count([](const auto& one) { return one.role == Role::hub && one.authorization == "Bearer " + std::string(kToken); }), 2U);
}

class Redirected : public Access, public testing::WithParamInterface<int> {};

TEST_P(Redirected, the_token_does_not_follow_to_another_host_by) {
  offer();
  with_token();
  hub->fault({.path = "*/resolve/*", .times = 0, .status = GetParam(), .location = hub->origin(Role::foreign) + "/x.gguf"});
  auto file = fakes::file("/x.gguf", model_file(2'000'000));
  ASSERT_TRUE(hub->add_web(file));
  arrives(model);
  EXPECT_GE(asked(Role::foreign), 1U);
}
INSTANTIATE_TEST_SUITE_P(Status, Redirected, testing::Values(301, 302, 303, 307, 308), testing::PrintToStringParamName());

TEST_F(Access, mirrors_get_no_token) {
  offer();
  start({{"hub.token", std::string(kToken)}, {"hub.endpoints", hub->origin() + "," + hub->origin(Role::mirror)}});
  hub->fault({.role = Role::hub, .times = 0, .status = 503});
  arrives(model, {.resolves = 8});
  EXPECT_GE(asked(Role::mirror, "/resolve/"), 1U);
}

TEST_F(Access, a_mirror_that_fails_is_left_out) {
  offer();
  start({{"hub.endpoints", hub->origin() + "," + hub->origin(Role::mirror)}});
  hub->fault({.role = Role::hub, .path = "*/resolve/*", .times = 0, .status = 503});
  arrives(model, {.resolves = 12});
  EXPECT_GE(asked(Role::mirror, "/resolve/"), 1U);
}

// ledger: D11
TEST_F(Access, a_gated_repository_says_where_its_form_is) {
  EXPECT_THAT(refused("bob/gated").message, AllOf(HasSubstr("gated"), HasSubstr("/bob/gated"), HasSubstr("token")));
  fakes::UserSpec eve;
  eve.token = "hf_eves_secret_token";
  eve.name = "eve";
  hub->add(eve);
  restart({{"hub.token", eve.token}});
  EXPECT_THAT(refused("bob/gated").message, AllOf(HasSubstr("access"), HasSubstr("/bob/gated")));
  restart({{"hub.token", std::string(kToken)}});
  EXPECT_EQ(rig->pulled({.source = "bob/gated"}).change, PullChange::added);
}

TEST_F(Access, a_private_repository_needs_its_owners_token) {
  fakes::RepositorySpec secret;
  secret.id = "ada/secret";
  secret.visibility = "private";
  secret.files = {fakes::file("tiny.Q4_K_M.gguf", model_file(200'000, 8))};
  ASSERT_TRUE(hub->add(secret));
  EXPECT_THAT(refused("ada/secret").message, HasSubstr("private"));
  restart({{"hub.token", std::string(kToken)}});
  EXPECT_EQ(rig->pulled({.source = "ada/secret"}).change, PullChange::added);
}

TEST_F(Access, a_disabled_repository_is_told_apart) {
  fakes::RepositorySpec off;
  off.id = "bob/off";
  off.disabled = true;
  ASSERT_TRUE(hub->add(off));
  EXPECT_THAT(refused("bob/off").message, HasSubstr("disabled"));
}

TEST_F(Access, a_token_that_means_nobody_is_named) {
  offer();
  with_token("hf_nobodys_secret_token");
  const auto failure = refused(model);
  EXPECT_EQ(failure.code, "unauthenticated");
  EXPECT_THAT(failure.message, AllOf(HasSubstr("token"), Not(HasSubstr("hf_nobodys"))));
}

TEST_F(Access, a_token_revoked_on_the_way_ends_the_job_and_keeps_what_came) {
  start({{"hub.token", std::string(kToken)}});
  hub->fault({.path = "*/resolve/*", .expire_after = 100'000});
  hub->fault({.path = "*/resolve/*", .times = 0, .revoke = true});
  EXPECT_NE(refused("bob/gated").code, "");
  EXPECT_THAT(rig->downloads(), Not(testing::IsEmpty()));
  EXPECT_LE(asked(Role::hub, "/resolve/"), 8U);
}

TEST_F(Access, what_is_missing_is_named_repository_revision_or_file) {
  offer();
  EXPECT_THAT(refused("ada/none").message, HasSubstr("repository"));
  EXPECT_THAT(refused("ada/tiny-GGUF:Q4_K_M@none").message, HasSubstr("revision"));
  EXPECT_THAT(refused("ada/tiny-GGUF:Q9_Z").message, HasSubstr("Q9_Z"));
}

TEST_F(Access, a_renamed_repository_is_followed) {
  offer();
  fakes::RepositorySpec former;
  former.id = "ada/former-GGUF";
  former.moved_to = std::string(kRepository);
  ASSERT_TRUE(hub->add(former));
  EXPECT_EQ(arrives("ada/former-GGUF:Q4_K_M").change, PullChange::added);
}

TEST_F(Access, a_web_page_instead_of_the_api_is_no_empty_answer) {
  offer();
  hub->fault({.role = Role::hub, .path = "/api/*", .times = 0, .login_page = true});
  EXPECT_THAT(refused(model).message, HasSubstr("web page"));
}

}  // namespace
}  // namespace puna::hub
