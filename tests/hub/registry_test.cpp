// Pulls from Ollama's registry and from ModelScope.
#include "hub_testing.h"

namespace puna::hub {
namespace {

using namespace testing_rig;
using fakes::FileSpec;
using fakes::Role;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Registry : public HubTest {
 protected:
  Registry() {
    FileSpec weights = fakes::file("model", model_file(600'000));
    FileSpec words = fakes::file("template", std::string("{{ .Prompt }}"));
    words.kind = "template";
    fakes::RegistryModelSpec spec;
    spec.name = "library/tiny:latest";
    spec.layers = {weights, words};
    EXPECT_TRUE(hub->add(spec));
    offered = 600'000;
  }
  std::string tiny = "ollama://tiny";
};

TEST_F(Registry, a_model_arrives_with_all_its_layers) {
  const auto pulled = arrives(tiny, {.again = 2000});
  EXPECT_EQ(pulled.sha256, model_file(600'000)->sha256());
  EXPECT_THAT(rig->library.show(pulled.name)->files, Not(IsEmpty()));
}

TEST_F(Registry, a_redirect_by_302_is_followed_as_one_by_307) {
  hub->fault({.role = Role::registry, .path = "*/blobs/*", .times = 0, .status = 302});
  arrives(tiny, {.again = 2000});
  EXPECT_GE(hits(), 1U);
}

TEST_F(Registry, a_model_that_is_not_there_is_named) {
  EXPECT_THAT(refused("ollama://none:7b").message, HasSubstr("none"));
}

TEST_F(Registry, a_realm_on_another_host_gets_nothing) {
  hub->fault({.role = Role::registry,
              .times = 0,
              .status = 401,
              .headers = {{{"WWW-Authenticate", "Bearer realm=\"" + hub->origin(Role::foreign) + "/token\",service=\"x\",scope=\"y\""}}}});
  EXPECT_FALSE(refused(tiny).message.empty());
  EXPECT_EQ(asked(Role::foreign), 0U);
}

TEST_F(Registry, a_model_for_members_says_that_a_key_is_needed) {
  fakes::RegistryModelSpec spec;
  spec.name = "library/closed:latest";
  spec.layers = {fakes::file("model", model_file(300'000))};
  spec.closed = true;
  ASSERT_TRUE(hub->add(spec));
  const auto failure = refused("ollama://closed");
  EXPECT_EQ(failure.code, "permission_denied");
  EXPECT_THAT(failure.message, HasSubstr("key"));
}

TEST_F(Registry, a_blob_that_is_not_what_its_digest_says_is_refused) {
  FileSpec wrong = fakes::file("model", model_file(300'000, 1));
  wrong.served = model_file(300'000, 2);
  fakes::RegistryModelSpec spec;
  spec.name = "library/wrong:latest";
  spec.layers = {wrong};
  ASSERT_TRUE(hub->add(spec));
  EXPECT_EQ(refused("ollama://wrong").code, "corrupt_data");
  EXPECT_THAT(rig->blobs(), IsEmpty());
}

TEST_F(Registry, a_manifest_that_is_no_manifest_is_refused) {
  hub->fault({.role = Role::registry, .path = "*/manifests/*", .times = 0, .body = "<html>"});
  EXPECT_FALSE(refused(tiny).message.empty());
  EXPECT_EQ(hub->bytes_sent(), 0U);
}

class Scope : public HubTest {
 protected:
  Scope() {
    fakes::RepositorySpec spec;
    spec.id = "ada/tiny-GGUF";
    spec.files = {fakes::file("tiny.Q4_K_M.gguf", model_file(600'000))};
    EXPECT_TRUE(hub->add_modelscope(spec));
    offered = 600'000;
  }
  std::string tiny = "modelscope://ada/tiny-GGUF:Q4_K_M";
};

TEST_F(Scope, a_model_arrives) {
  EXPECT_EQ(arrives(tiny).sha256, model_file(600'000)->sha256());
}

TEST_F(Scope, ranges_that_come_with_status_200_are_ranges) {
  hub->fault({.role = Role::storage, .times = 0, .slice_as_200 = true});
  arrives(tiny);
  EXPECT_GE(hits(), 2U);
}

TEST_F(Scope, an_error_with_status_200_is_an_error) {
  EXPECT_EQ(refused("modelscope://ada/none:Q4_K_M").code, "not_found");
}

TEST_F(Scope, a_fault_of_its_own_code_with_status_200_is_no_empty_list) {
  hub->fault({.role = Role::modelscope,
              .path = "*/repo/files",
              .times = 0,
              .body = R"({"Code":500,"Success":false,"Message":"broken","Data":null})"});
  EXPECT_THAT(refused(tiny).message, HasSubstr("broken"));
}

}  // namespace
}  // namespace puna::hub
