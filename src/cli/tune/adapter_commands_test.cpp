#include <gmock/gmock.h>

#include "cli/cli_testing.h"
#include "wire/adapter_work.h"
#include "wire/job.h"

namespace puna::cli {
namespace {

using testing::HasSubstr;
using wire::JobState;

class AdapterCommands : public WithDaemon {
 protected:
  template <class Outcome>
  void does(const std::string& route, const Outcome& outcome) {
    const wire::Job queued{.id = "01JOB", .kind = "merge"};
    wire::Job completed = queued;
    completed.state = JobState::completed;
    completed.result = json::encode(outcome);
    on_as("POST /api/v1/tune/" + route, 202, queued);
    on_as("GET /api/v1/jobs/01JOB", 200, completed);
    on("GET /api/v1/events", client::stream({client::event("job.updated", json::encode(completed))}));
  }
  template <class Request>
  Request sent(const std::string& route) const {
    const auto asked = daemon_->asked("POST /api/v1/tune/" + route + " ");
    return json::decode_text<Request>(std::string_view(asked).substr(asked.find('{'))).value_or(Request{});
  }
};

TEST_F(AdapterCommands, merge_says_what_it_made_and_what_was_lost) {
  does("merge", wire::MergeResult{.name = "both",
                                  .base = "m",
                                  .adapters = {"care"},
                                  .size = 1 << 20,
                                  .tensors = 14,
                                  .rounding = 0.75,
                                  .tokens = 120,
                                  .divergence = 0.012,
                                  .same_choice = 0.975,
                                  .lost = 0.25,
                                  .chosen = "stored as q8_0",
                                  .advice = "merge into f16"});
  const auto ran = run_words({"tune", "merge", "m+care", "--name", "both", "--type", "Q8_0"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("made 'both' (1.00 MiB) of 'm' and care"));
  EXPECT_THAT(ran.err, HasSubstr("0.75 of what the adapter changed"));
  EXPECT_THAT(ran.err, HasSubstr("97.5 % of 120 tokens"));
  EXPECT_THAT(ran.err, HasSubstr("0.25 of the adapter's effect"));
  EXPECT_THAT(ran.err, HasSubstr("note: stored as q8_0\nnote: merge into f16"));
  EXPECT_EQ(sent<wire::MergeRequest>("merge").type, wire::MergeType::q8_0);
}

TEST_F(AdapterCommands, a_type_that_there_is_not_is_refused_with_those_that_there_are) {
  const auto ran = run_words({"tune", "merge", "m+care", "--type", "q4"});
  EXPECT_NE(ran.code, 0);
  EXPECT_THAT(ran.err, HasSubstr("same, f32, f16, bf16, q8_0"));
}

TEST_F(AdapterCommands, export_gives_the_daemon_a_whole_path) {
  does("export", wire::ExportResult{.folder = "/x", .files = {"adapter_config.json", "adapter_model.safetensors"}});
  const auto ran = run_words({"tune", "export", "care", "./out/../care-peft", "--base-model", "owner/m"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("wrote adapter_config.json, adapter_model.safetensors into /x"));
  const auto request = sent<wire::ExportRequest>("export");
  EXPECT_THAT(request.folder, testing::AllOf(testing::StartsWith("/"), testing::EndsWith("/care-peft")));
  EXPECT_THAT(request.folder, testing::Not(HasSubstr("..")));
  EXPECT_EQ(request.form, wire::ExportForm::peft);
  EXPECT_EQ(request.base_model, "owner/m");
}

TEST_F(AdapterCommands, import_says_how_to_use_it) {
  does("import", wire::ImportResult{.name = "care", .base = "m", .serves = "m+care"});
  EXPECT_THAT(run_words({"tune", "import", "m", "folder", "--name", "care"}).err, HasSubstr("puna run m+care"));
  EXPECT_EQ(sent<wire::ImportRequest>("import").name, "care");
}

}  // namespace
}  // namespace puna::cli
