#include "profile/profiles.h"

#include <gmock/gmock.h>

#include "os/temporary_folder.h"

namespace puna::profile {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Mode = Profiles::Mode;

json::object settings(std::string_view text) {
  return *json::parse_object(text);
}

class ProfilesTest : public ::testing::Test {
 protected:
  static Result<std::string> full_name(std::string_view name) {
    if (name == "m" || name == "m:latest") return "m:latest";
    if (name == "n") return "n:1";
    return fail(Code::not_found, "there is no such model");
  }
  std::vector<std::string> told() {
    std::vector<std::string> out;
    for (const auto& event : events_.since(0).events) out.push_back(event->type);
    return out;
  }

  store::Database database_ = store::Database::open(":memory:").value();
  EventBus events_;
  Profiles profiles_{database_, events_, full_name};
};

// ledger: M16
TEST_F(ProfilesTest, keep_what_was_said_under_a_name) {
  const auto made = profiles_.create("Coder", settings(R"({"model":"m","context":8192})"));
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(made->version, 1);
  EXPECT_EQ(made->settings.model, "m:latest");
  EXPECT_EQ(profiles_.find("coder")->settings.context, 8192);
  EXPECT_EQ(profiles_.list()->size(), 1U);
  EXPECT_THAT(told(), ElementsAre("profile.added"));
}

TEST_F(ProfilesTest, have_names_of_their_own) {
  ASSERT_TRUE(profiles_.create("coder", settings(R"({"model":"m"})")));
  EXPECT_EQ(profiles_.create("CODER", settings(R"({"model":"m"})")).error().code, Code::already_exists);
  EXPECT_EQ(profiles_.create("n", settings(R"({"model":"m"})")).error().code, Code::already_exists);
  EXPECT_EQ(profiles_.create("x", settings(R"({"model":"nothing"})")).error().code, Code::not_found);
  EXPECT_THAT(profiles_.find("codr").error().message, HasSubstr("did you mean coder?"));
}

TEST_F(ProfilesTest, make_a_version_of_each_change_and_say_what_it_was) {
  ASSERT_TRUE(profiles_.create("c", settings(R"({"model":"m","context":8192})")));
  ASSERT_EQ(profiles_.change("c", Mode::merge, settings(R"({"slots":2})"))->version, 2);
  ASSERT_EQ(profiles_.change("c", Mode::merge, settings(R"({"slots":2})"))->version, 2) << "nothing changed";
  ASSERT_EQ(profiles_.change("c", Mode::replace, settings(R"({"model":"m","slots":2})"))->version, 3);
  const auto history = profiles_.history("c").value();
  ASSERT_EQ(history.versions.size(), 3U);
  EXPECT_EQ(history.versions[0].note, "changed context");
  EXPECT_EQ(history.versions[1].note, "changed slots");
  EXPECT_EQ(history.versions[2].note, "created");
  EXPECT_THAT(told(), ElementsAre("profile.added", "profile.updated", "profile.updated"));
}

TEST_F(ProfilesTest, refuse_a_change_that_was_made_from_an_older_version) {
  ASSERT_TRUE(profiles_.create("c", settings(R"({"model":"m"})")));
  ASSERT_TRUE(profiles_.change("c", Mode::merge, settings(R"({"slots":2})"), 1));
  const auto late = profiles_.change("c", Mode::merge, settings(R"({"slots":3})"), 1);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::conflict);
  EXPECT_THAT(late.error().message, HasSubstr("version 2 now, not 1"));
}

TEST_F(ProfilesTest, bring_an_old_version_back_even_of_a_removed_one) {
  ASSERT_TRUE(profiles_.create("c", settings(R"({"model":"m","context":1})")));
  ASSERT_TRUE(profiles_.change("c", Mode::merge, settings(R"({"context":2})")));
  ASSERT_TRUE(profiles_.remove("c"));
  EXPECT_EQ(profiles_.find("c").error().code, Code::not_found);
  const auto back = profiles_.restore("c", 1);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(back->version, 3);
  EXPECT_EQ(back->settings.context, 1);
  EXPECT_FALSE(profiles_.restore("c", 7));
  EXPECT_EQ(told().back(), "profile.added");
}

TEST_F(ProfilesTest, keep_a_hundred_versions) {
  ASSERT_TRUE(profiles_.create("c", settings(R"({"model":"m"})")));
  for (int i = 0; i < 120; ++i) ASSERT_TRUE(profiles_.change("c", Mode::merge, {{"context", i}}));
  EXPECT_EQ(profiles_.history("c")->versions.size(), 100U);
  EXPECT_EQ(profiles_.find("c")->settings.context, 119);
}

TEST_F(ProfilesTest, say_who_uses_a_model) {
  ASSERT_TRUE(profiles_.create("a", settings(R"({"model":"m"})")));
  ASSERT_TRUE(profiles_.create("b", settings(R"({"model":"n","draft_model":"m:latest"})")));
  ASSERT_TRUE(profiles_.create("c", settings(R"({"model":"n","adapters":[{"model":"m"}]})")));
  EXPECT_THAT(profiles_.users_of("m:latest").value(), ElementsAre("a", "b", "c"));
  EXPECT_THAT(profiles_.users_of("n:1").value(), ElementsAre("b", "c"));
}

TEST_F(ProfilesTest, survive_a_restart) {
  const auto folder = os::TemporaryFolder::create().value();
  for (int start = 0; start < 2; ++start) {
    auto database = store::Database::open(folder.path() / "puna.db").value();
    Profiles profiles(database, events_, full_name);
    if (start == 0) ASSERT_TRUE(profiles.create("c", settings(R"({"model":"m","parameters":{"temperature":0.5}})")));
    EXPECT_EQ(profiles.find("c")->settings.parameters->at("temperature"), 0.5);
  }
}

}  // namespace
}  // namespace puna::profile
