// Models that are elsewhere, at the terminal: search, plans, updates.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/cli_testing.h"
#include "wire/hub.h"

namespace puna::cli {
namespace {

using testing::HasSubstr;

using Search = WithDaemon;
using DryRun = WithDaemon;
using Update = WithDaemon;
using Outdated = WithDaemon;

wire::HubHit hit() {
  return {.catalogue = "huggingface",
          .repository = "ada/tiny-GGUF",
          .source = "ada/tiny-GGUF",
          .downloads = 1'234'567,
          .likes = 7,
          .licence = "mit"};
}

// ledger: M17
TEST_F(Search, shows_what_people_choose_by) {
  on_as("GET /api/v1/hub/search", 200, wire::HubPage{.catalogue = "huggingface", .models = {hit()}});
  EXPECT_EQ(run_words({"search", "tiny", "model", "--sort", "likes"}).out,
            "MODEL           DOWNLOADS   LIKES   UPDATED   LICENCE\n"
            "ada/tiny-GGUF       1.23M       7             mit\n");
}

// ledger: M17
TEST_F(Search, tells_a_failure_from_nothing_found) {
  on_as("GET /api/v1/hub/search", 200, wire::HubPage{.catalogue = "huggingface"});
  EXPECT_THAT(run_words({"search", "x"}).err, HasSubstr("nothing is called like that"));
  on("GET /api/v1/hub/search", 503, R"({"error":{"code":"unavailable","message":"there is no network"}})");
  const auto failed = run_words({"search", "y"});
  EXPECT_EQ(failed.code, 5);
  EXPECT_EQ(failed.err, "error: there is no network\n");
}

// ledger: D7
TEST_F(DryRun, shows_files_sizes_disk_and_memory) {
  wire::PullPlan plan{.source = "ada/tiny-GGUF:Q8_0", .name = "tiny:q8_0", .catalogue = "huggingface", .variant = "Q8_0"};
  plan.files.push_back({.path = "tiny-Q8_0.gguf", .size = 1 << 20, .reason = "not here"});
  plan.total = plan.fetch = 1 << 20;
  plan.disk_free = 1 << 30;
  on_as("POST /api/v1/hub/plan", 200, plan);
  const auto ran = run_words({"pull", "ada/tiny-GGUF", "--filter", "q8", "--dry-run"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("to fetch      1.00 MiB of 1.00 MiB; 1.00 GiB are free on the disk"));
  EXPECT_THAT(ran.out, HasSubstr("tiny-Q8_0.gguf   weights   1.00 MiB   not here"));
  EXPECT_EQ(daemon_->asked().back(), R"(POST /api/v1/hub/plan {"source":"ada/tiny-GGUF","filter":"q8"})");
}

TEST_F(Outdated, says_what_changed_and_counts_the_rest) {
  wire::OutdatedModel news{.name = "tiny:q8_0",
                           .source = "x",
                           .have = "aaaaaaaaaa",
                           .latest = "bbbbbbbbbb",
                           .outdated = true,
                           .changed = {"weights", "template"}};
  news.fetch = 1 << 20;
  on_as("GET /api/v1/models/outdated", 200, wire::OutdatedList{{news, {.name = "same"}}});
  const auto ran = run_words({"outdated"});
  EXPECT_EQ(ran.out,
            "MODEL       CHANGED             TO FETCH   COMMIT\n"
            "tiny:q8_0   weights, template   1.00 MiB   aaaaaaa → bbbbbbb\n");
  EXPECT_EQ(ran.err, "1 model is up to date\n");
}

// ledger: D11
TEST_F(Update, wants_to_know_which_models) {
  EXPECT_EQ(run_words({"update"}).code, 2);
  on_as("GET /api/v1/models/outdated", 200, wire::OutdatedList{{{.name = "a:latest"}}});
  EXPECT_EQ(run_words({"update", "a"}).err, "'a:latest' is up to date\n");
}

}  // namespace
}  // namespace puna::cli
