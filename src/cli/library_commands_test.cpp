// list, rm, undo, cp, alias, pin, df and verify, against a scripted daemon.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "cli/cli_testing.h"
#include "wire/job.h"
#include "wire/model.h"

namespace puna::cli {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kMiB = 1 << 20;

wire::Model model(std::string_view name, std::string_view store = "puna") {
  return {.name = std::string(name),
          .size = kMiB,
          .sha256 = std::string(64, 'a'),
          .modified_at = format_time(std::chrono::system_clock::now()),
          .store = std::string(store)};
}

wire::Job ended(json::value result) {
  return {.id = "01JOB", .kind = "verify", .state = wire::JobState::completed, .progress = {.unit = "bytes"}, .result = std::move(result)};
}

class Library : public WithDaemon {
 protected:
  void has(const wire::Model& model) { on_as("GET /api/v1/models/" + model.name, 200, wire::ModelDetail{.model = model}); }
  void does_job(const std::string& request, json::value result) {
    on_as(request, 202, ended(result));
    on_as("GET /api/v1/jobs/01JOB", 200, ended(std::move(result)));
    on("GET /api/v1/events", client::stream({}));
  }
};

TEST_F(Library, says_who_keeps_a_model_only_when_others_do) {
  auto alias = model("m");
  alias.alias_of = "own";
  on_as("GET /api/v1/models", 200, wire::ModelList{{model("own"), model("theirs", "ollama"), alias}});
  EXPECT_EQ(run_words({"list"}).out,
            "NAME     ID             SIZE       MODIFIED   STORE    NOTE\n"
            "own      aaaaaaaaaaaa   1.00 MiB   just now   puna\n"
            "theirs   aaaaaaaaaaaa   1.00 MiB   just now   ollama\n"
            "m        aaaaaaaaaaaa   1.00 MiB   just now   puna     alias of own\n");
}

wire::ModelProbe tried(wire::ProbeOutcome tool_calls) {
  using enum wire::ProbeOutcome;
  return {.probed_at = format_time(std::chrono::system_clock::now()),
          .loads = {passed},
          .writes = {passed},
          .embeds = {passed},
          .chat = {passed},
          .system = {passed},
          .tools = {passed},
          .tool_calls = {tool_calls, tool_calls == failed ? std::optional<std::string>("taken for text") : std::nullopt},
          .thinking = {absent}};
}

TEST_F(Library, badges_say_what_worked_when_a_model_was_tried) {
  auto good = model("good"), bad = model("bad");
  good.probe = tried(wire::ProbeOutcome::passed);
  bad.probe = tried(wire::ProbeOutcome::failed);
  bad.probe->loads = {};
  on_as("GET /api/v1/models", 200, wire::ModelList{{good, bad, model("new")}});
  const auto out = run_words({"list"}).out;
  EXPECT_THAT(out, HasSubstr("just now   chat tools\n"));
  EXPECT_THAT(out, HasSubstr("just now   ?loads chat tools !calls\n"));
  EXPECT_THAT(out, HasSubstr("just now   -\n"));
}

TEST_F(Library, a_trial_tells_each_finding_and_fails_when_something_does) {
  auto bad = model("bad");
  bad.probe = tried(wire::ProbeOutcome::failed);
  does_job("POST /api/v1/models/bad/probe", json::encode(bad));
  const auto ran = run_words({"probe", "bad", "--quiet"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, HasSubstr("tools     works\ncalls     fails: taken for text\nthinking  no\n"));
}

// ledger: D11
TEST_F(Library, a_removal_says_the_bytes_and_asks) {
  has(model("a"));
  on_as("GET /api/v1/usage", 200, wire::DiskUsage{.models = {{"a", "puna", 3 * kMiB, kMiB}}});
  const auto refused = run_words({"rm", "a"});
  EXPECT_THAT(refused.err, HasSubstr("remove 'a' and free 2.00 MiB? [y/N]"));
  EXPECT_EQ(refused.code, 130);
  answer_ = "y";
  const auto until = format_time(std::chrono::system_clock::now() + std::chrono::minutes(10));
  on_as("DELETE /api/v1/models/a", 200, wire::ModelRemoval{.name = "a", .freed_bytes = 2 * kMiB, .until = until});
  EXPECT_THAT(run_words({"rm", "a"}).err, HasSubstr("removed 'a' (2.00 MiB are freed in 10m 0s; until then `puna undo` brings it back)"));
}

TEST_F(Library, a_removal_for_good_is_asked_for_as_such) {
  on_as("DELETE /api/v1/models/a", 200, wire::ModelRemoval{.name = "a", .freed_bytes = kMiB});
  EXPECT_EQ(run_words({"rm", "--now", "--force", "a"}).err, "removed 'a' (1.00 MiB freed)\n");
  EXPECT_EQ(daemon_->asked().front(), "DELETE /api/v1/models/a?now=true&force=true");
}

TEST_F(Library, an_undo_names_what_came_back) {
  on_as("POST /api/v1/models/undo", 200, model("a"));
  EXPECT_EQ(run_words({"undo"}).err, "'a' is back\n");
}

TEST_F(Library, a_copy_of_another_programs_model_takes_it_into_the_library) {
  has(model("theirs", "ollama"));
  does_job("POST /api/v1/models/theirs/adopt", json::encode(model("mine")));
  EXPECT_THAT(run_words({"cp", "theirs", "mine"}).err, HasSubstr("copied 'theirs' to 'mine'"));
}

TEST_F(Library, aliases_and_pins_are_told) {
  auto alias = model("m");
  alias.alias_of = "a";
  on_as("POST /api/v1/models/a/alias", 200, alias);
  on_as("POST /api/v1/models/a/pin", 200, model("a"));
  EXPECT_EQ(run_words({"alias", "a", "m"}).err, "'m' now means 'a'\n");
  EXPECT_EQ(run_words({"pin", "a"}).err, "'a' is pinned\n");
  EXPECT_EQ(run_words({"unpin", "a"}).err, "'a' is no longer pinned\n");
}

TEST_F(Library, df_shows_models_duplicates_removed_ones_and_the_sums) {
  on_as("GET /api/v1/usage", 200,
        wire::DiskUsage{.models = {{"a", "puna", kMiB, 0}, {"b", "ollama", kMiB, 0}},
                        .duplicates = {{"aa", kMiB, {"a", "b"}, kMiB}},
                        .own_bytes = kMiB,
                        .other_bytes = kMiB,
                        .available_bytes = 5 * kMiB,
                        .conversation_bytes = 2 * kMiB,
                        .conversation_limit = 4 * kMiB});
  const auto out = run_words({"df"}).out;
  EXPECT_THAT(out, HasSubstr("NAME       SIZE   SHARED   STORE\na      1.00 MiB        -   puna\n"));
  EXPECT_THAT(out, HasSubstr("On the disk more than once\n"));
  EXPECT_THAT(out, HasSubstr("a, b"));
  EXPECT_THAT(out, HasSubstr("1.00 MiB in the library, 1.00 MiB of other programs, 5.00 MiB available\n"));
  EXPECT_THAT(out, HasSubstr("2.00 MiB of saved conversations, of at most 4.00 MiB (setting warm.disk)\n"));
}

// ledger: D14
TEST_F(Library, verify_names_the_wrong_file_and_fails) {
  wire::Verification verification{
      .files = 2, .bytes = kMiB, .wrong = {{.place = "/x", .models = {"a"}, .problem = "its file /x is wrong"}}};
  does_job("POST /api/v1/models/verify", json::encode(verification));
  const auto ran = run_words({"verify", "--quiet"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("warning: a: its file /x is wrong"));
  EXPECT_THAT(ran.err, HasSubstr("1 of 2 files are intact"));
}

}  // namespace
}  // namespace puna::cli
