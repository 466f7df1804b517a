#include <gmock/gmock.h>

#include <fstream>

#include "cli/cli_testing.h"
#include "cli/registry.h"
#include "wire/tune_schema.h"

namespace puna::cli {
namespace {

using testing::HasSubstr;
using wire::JobState;

class TuneCommand : public WithDaemon {
 protected:
  void SetUp() override {
    WithDaemon::SetUp();
    std::ofstream(file()) << "{}\n";
    on_as("POST /api/v1/tune/runs", 202, wire::Job{.id = "J1", .kind = "tune", .request = json::object{{"run", "care"}, {"model", "m"}}});
  }
  [[nodiscard]] std::string file() const { return (home() / "care.jsonl").string(); }

  void run_is(wire::TuneRun run) {
    run.name = "care";
    run.model = "m";
    on_as("GET /api/v1/tune/runs/care", 200, run);
    on("GET /api/v1/tune/runs/care/metrics", client::reply_json(200, json::encode(wire::TuneMetrics{})));
    on("GET /api/v1/events", client::stream({}, client::Ending::held));
  }
  [[nodiscard]] wire::TuneRequest sent() const {
    const auto asked = daemon_->asked("POST /api/v1/tune/runs ");
    return json::decode_text<wire::TuneRequest>(std::string_view(asked).substr(asked.find('{'))).value_or(wire::TuneRequest{});
  }
};

TEST_F(TuneCommand, sends_files_mapping_and_settings_and_tells_what_came_of_it) {
  run_is({.state = JobState::completed, .result = wire::TuneResult{.run = "care", .serves = "m+care", .steps = 9, .ended = "all steps"}});
  const auto ran = run_words({"tune", "m", file(), "--name", "care", "--field", "output=reply", "--learning-rate", "1e-4", "--targets",
                              "attn_q,attn_v", "--sample-prompts", "Who, then?", "--lora-plus-ratio=4"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("chat with it: puna run m+care"));
  EXPECT_EQ(sent().data, std::vector{file()});
  EXPECT_EQ(sent().mapping->fields->at("output"), "reply");
  EXPECT_EQ(sent().settings->learning_rate, 1e-4);
  EXPECT_EQ(sent().settings->targets, (std::vector<std::string>{"attn_q", "attn_v"}));
  EXPECT_EQ(sent().settings->sample_prompts, std::vector<std::string>{"Who, then?"});
}

// ledger: F3
TEST_F(TuneCommand, a_setting_out_of_its_range_is_refused_by_name_before_anything_is_asked) {
  const auto ran = run_words({"tune", "m", file(), "--rank", "0"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("--rank: rank is 0; it must be 1 to 256"));
  EXPECT_EQ(daemon_->asked("POST"), "");
}

TEST_F(TuneCommand, a_file_that_is_not_there_is_named) {
  EXPECT_THAT(run_words({"tune", "m", "nowhere.jsonl"}).err, HasSubstr("there is no file 'nowhere.jsonl'"));
}

TEST_F(TuneCommand, detached_it_prints_the_runs_name) {
  EXPECT_EQ(run_words({"tune", "m", file(), "--detach"}).out, "care\n");
}

TEST_F(TuneCommand, a_failed_run_is_its_error) {
  run_is({.state = JobState::failed, .failure = wire::JobFailure{"disk_full", "needs 4 GiB, has 1 GiB"}});
  const auto ran = run_words({"tune", "follow", "care"});
  EXPECT_NE(ran.code, 0);
  EXPECT_THAT(ran.err, HasSubstr("needs 4 GiB, has 1 GiB"));
}

TEST_F(TuneCommand, a_run_that_rests_says_how_it_goes_on) {
  run_is({.state = JobState::paused, .resumes_at = 12});
  EXPECT_THAT(run_words({"tune", "follow", "care"}).err, HasSubstr("`puna tune resume care` goes on from step 12"));
  EXPECT_THAT(run_words({"tune", "show", "care"}).out, HasSubstr("paused; `puna tune resume care` goes on from step 12"));
  run_is({.state = JobState::cancelled});
  EXPECT_THAT(run_words({"tune", "follow", "care"}).err, HasSubstr("`puna tune resume care` begins again, for no step of it is kept"));
}

TEST_F(TuneCommand, repeats_a_run_with_changes) {
  run_is({.state = JobState::completed,
          .request = {.model = "m", .data = {"/d.jsonl"}, .name = "care", .settings = wire::TuneSettings{.rank = 8, .epochs = 2.0}}});
  EXPECT_EQ(run_words({"tune", "repeat", "care", "--rank", "32", "--name", "care-32", "--detach"}).code, 0);
  EXPECT_EQ(sent().name, "care-32");
  EXPECT_EQ(sent().settings->rank, 32);
  EXPECT_EQ(sent().settings->epochs, 2.0);
}

TEST_F(TuneCommand, removing_a_run_asks_first) {
  run_is({.state = JobState::failed});
  on_as("DELETE /api/v1/tune/runs/care", 200, wire::TuneRemoval{"care", 1 << 20});
  EXPECT_THAT(run_words({"tune", "rm", "care"}).err, HasSubstr("nothing was removed"));
  EXPECT_THAT(run_words({"tune", "rm", "care", "--yes"}).err, HasSubstr("removed the run 'care', 1.00 MiB are free again"));
}

TEST_F(TuneCommand, lists_runs_with_what_became_of_them) {
  wire::TuneRunList list;
  list.runs.push_back({.name = "care",
                       .model = "m",
                       .state = JobState::running,
                       .progress = wire::TuneEvent{.kind = wire::TuneEventKind::step, .step = 3, .steps = 9, .loss = 1.5}});
  on_as("GET /api/v1/tune/runs", 200, list);
  EXPECT_THAT(run_words({"tune", "list"}).out, HasSubstr("step 3 of 9, loss 1.500"));
}

TEST_F(TuneCommand, help_shows_every_setting_under_its_heading) {
  const auto help = run_words({"tune", "--help"}).out;
  EXPECT_THAT(help, HasSubstr("Usage: puna tune [OPTIONS] MODEL DATA...\n       puna tune COMMAND\n"));
  EXPECT_THAT(help, HasSubstr("\nSettings of the adapter:\n"));
  for (const auto& field : wire::tune_fields()) {
    std::string option(field.name);
    std::ranges::replace(option, '_', '-');
    EXPECT_THAT(help, HasSubstr("--" + option + " "));
  }
}

}  // namespace
}  // namespace puna::cli
