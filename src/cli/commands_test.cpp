#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/cli_testing.h"
#include "os/file.h"
#include "wire/job.h"
#include "wire/model.h"

namespace puna::cli {
namespace {

std::string ago(std::chrono::hours time) {
  return format_time(std::chrono::system_clock::now() - time);
}
std::string ahead(std::chrono::seconds time) {
  return format_time(std::chrono::system_clock::now() + time);
}

wire::Model model(std::string_view name) {
  return {.name = std::string(name),
          .size = 98'355'200,
          .sha256 = "9e6855bc9e4b0e3a1d2c",
          .source = "/m.gguf",
          .modified_at = ago(std::chrono::hours(80)),
          .details = {.format = "gguf",
                      .architecture = "llama",
                      .quantization = "Q4_1",
                      .parameters = 134'515'008,
                      .context_length = 2048,
                      .embedding_length = 576,
                      .block_count = 30,
                      .capabilities = {"completion", "chat"},
                      .licence = "apache-2.0"}};
}

wire::ModelList library(std::initializer_list<std::string_view> names) {
  wire::ModelList list;
  for (const auto name : names) list.models.push_back(model(name));
  return list;
}

wire::Job job(wire::JobState state, std::int64_t done) {
  return {.id = "01JOB7X2M9K",
          .kind = "pull",
          .title = "pull m",
          .state = state,
          .progress = {.done = done, .total = 100, .unit = "bytes", .phase = "downloading"},
          .attempt = 1,
          .created_at = ago(std::chrono::hours(1)),
          .updated_at = ago(std::chrono::hours(1))};
}

wire::Job completed() {
  auto out = job(wire::JobState::completed, 100);
  out.result = json::value{{"name", "m:latest"}, {"sha256", "9e68"}, {"size", 98'355'200}, {"change", "added"}};
  return out;
}

using List = WithDaemon;
using Ps = WithDaemon;
using Show = WithDaemon;
using Remove = WithDaemon;
using Stop = WithDaemon;
using Pull = WithDaemon;
using Job = WithDaemon;
using Logs = WithDaemon;

TEST_F(List, prints_ollamas_columns) {
  on_as("GET /api/v1/models", 200, library({"smollm2:135m"}));
  EXPECT_EQ(run_words({"list"}).out,
            "NAME           ID             SIZE       MODIFIED\n"
            "smollm2:135m   9e6855bc9e4b   93.8 MiB   3 days ago\n");
}

TEST_F(List, keeps_to_the_names_that_begin_as_asked) {
  on_as("GET /api/v1/models", 200, library({"smollm2:135m", "Llama:1b"}));
  const auto ran = run_words({"ls", "llama"});
  EXPECT_TRUE(ran.out.contains("Llama:1b"));
  EXPECT_FALSE(ran.out.contains("smollm2"));
}

TEST_F(List, prints_the_apis_object_as_json) {
  on_as("GET /api/v1/models", 200, library({"smollm2:135m"}));
  const auto parsed = json::parse_object(run_words({"list", "--json"}).out);
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_EQ(parsed->at("models").at(0).at("name"), json::value("smollm2:135m"));
}

TEST_F(List, warns_of_a_model_that_cannot_be_used) {
  auto broken = library({"m"});
  broken.models[0].problem = "its file is missing";
  on_as("GET /api/v1/models", 200, broken);
  EXPECT_EQ(run_words({"list"}).err, "warning: m: its file is missing\n");
}

TEST_F(Ps, says_what_takes_memory_and_until_when) {
  const wire::RunningModel running{.name = "smollm2:135m",
                                   .purpose = "generate",
                                   .state = wire::WorkerState::ready,
                                   .memory_bytes = 150'000'000,
                                   .context_length = 4096,
                                   .slots = 4,
                                   .expires_at = ahead(std::chrono::seconds(299))};
  on_as("GET /api/v1/running", 200, wire::RunningList{{running}});
  on_as("GET /api/v1/models", 200, library({"smollm2:135m"}));
  EXPECT_EQ(run_words({"ps"}).out,
            "NAME           ID             SIZE      STATE   CONTEXT   UNTIL\n"
            "smollm2:135m   9e6855bc9e4b   143 MiB   ready   4096      4 minutes from now\n");
}

TEST_F(InHome, ps_without_a_daemon_is_an_empty_table_and_starts_none) {
  const auto ran = run_words({"ps"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out, "NAME   ID   SIZE   STATE   CONTEXT   UNTIL\n");
  EXPECT_FALSE(std::filesystem::exists(home() / "data"));
}

TEST_F(Show, tells_what_a_model_is) {
  on_as("GET /api/v1/models/smollm2", 200,
        wire::ModelDetail{.model = model("smollm2:135m"), .path = "/lib/x", .chat_template = "{{ messages }}"});
  EXPECT_EQ(run_words({"show", "smollm2"}).out, R"(  Model
    name                smollm2:135m
    architecture        llama
    parameters          134.5M
    context length      2048
    embedding length    576
    layers              30
    quantization        Q4_1

  Capabilities
    completion
    chat

  File
    size                93.8 MiB
    sha256              9e6855bc9e4b0e3a1d2c
    path                /lib/x

  Origin
    source              /m.gguf
    modified            3 days ago

  License
    apache-2.0
)");
  EXPECT_EQ(run_words({"show", "smollm2", "--template"}).out, "{{ messages }}\n");
}

TEST_F(Show, an_unknown_model_is_the_daemons_message_and_exit_code_3) {
  on("GET /api/v1/models/smolm", 404, R"({"error":{"code":"not_found","message":"no model 'smolm'; did you mean smollm2:135m?"}})");
  const auto ran = run_words({"show", "smolm"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_EQ(ran.err, "error: no model 'smolm'; did you mean smollm2:135m?\n");
}

TEST_F(Remove, goes_on_behind_a_failure_and_keeps_its_exit_code) {
  on("DELETE /api/v1/models/a", 404, R"({"error":{"code":"not_found","message":"no model 'a'"}})");
  on("DELETE /api/v1/models/b", 200, R"({"name":"b:latest","freed_bytes":1048576,"remaining_names":[]})");
  on("DELETE /api/v1/models/c", 200, R"({"name":"c:latest","freed_bytes":0,"remaining_names":["d:latest"]})");
  const auto ran = run_words({"rm", "--yes", "a", "b", "c"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_EQ(ran.err, "removed 'b:latest' (1.00 MiB freed)\nremoved 'c:latest' (its files stay for d:latest)\nerror: no model 'a'\n");
}

TEST_F(Stop, unloads_and_says_so) {
  on("DELETE /api/v1/running/m", 200, "{}");
  EXPECT_EQ(run_words({"stop", "m"}).err, "stopped 'm'\n");
}

TEST_F(Pull, follows_the_job_and_names_the_model) {
  const auto file = home() / "m.gguf";
  ASSERT_TRUE(os::write_file_atomic(file, "GGUF"));
  on_as("POST /api/v1/models/pull", 202, job(wire::JobState::queued, 0));
  on_as("GET /api/v1/jobs/01JOB7X2M9K", 200, job(wire::JobState::running, 50));
  on("GET /api/v1/events", client::stream({client::event("job.updated", json::encode(completed()))}));
  const auto ran = run_words({"pull", file.string(), "--name", "m"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.err, "downloading\npulled 'm:latest' (93.8 MiB)\n");
  EXPECT_EQ(daemon_->asked().front(), fmt::format(R"(POST /api/v1/models/pull {{"source":"{}","name":"m"}})", file.string()));
}

TEST_F(Pull, resumes_a_job_that_rests) {
  on_as("POST /api/v1/models/pull", 202, job(wire::JobState::paused, 50));
  on_as("POST /api/v1/jobs/01JOB7X2M9K/resume", 200, job(wire::JobState::queued, 50));
  EXPECT_EQ(run_words({"pull", "http://x/m.gguf", "--detach"}).out, "01JOB7X2M9K\n");
  EXPECT_EQ(daemon_->asked().back(), "POST /api/v1/jobs/01JOB7X2M9K/resume");
}

TEST_F(Pull, a_failed_job_is_its_error_and_exit_code) {
  auto failed = job(wire::JobState::failed, 50);
  failed.failure = {"disk_full", "3 GiB are needed, 1 GiB is free"};
  on_as("POST /api/v1/models/pull", 202, job(wire::JobState::queued, 0));
  on_as("GET /api/v1/jobs/01JOB7X2M9K", 200, failed);
  on("GET /api/v1/events", client::stream({}));
  const auto ran = run_words({"pull", "http://x/m.gguf", "--quiet"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.err, "error: 3 GiB are needed, 1 GiB is free\n");
}

TEST_F(Pull, a_file_that_is_not_there_is_said_before_anything_is_asked) {
  const auto ran = run_words({"pull", "./nowhere.gguf"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_EQ(ran.err, "error: there is no file ./nowhere.gguf\n");
  EXPECT_TRUE(daemon_->asked().empty());
}

TEST_F(Job, is_found_by_the_end_of_its_id) {
  on_as("GET /api/v1/jobs", 200, wire::JobList{{job(wire::JobState::running, 45)}});
  on_as("POST /api/v1/jobs/01JOB7X2M9K/cancel", 200, job(wire::JobState::cancelled, 45));
  EXPECT_EQ(run_words({"job", "list"}).out,
            "ID            STATE     JOB      UPDATED      PROGRESS\n"
            "01JOB7X2M9K   running   pull m   1 hour ago   downloading  45%  45 B/100 B\n");
  EXPECT_EQ(run_words({"job", "cancel", "2m9k"}).err, "cancelled 'pull m'\n");
  EXPECT_EQ(run_words({"job", "cancel", "zzz"}).code, 3);
}

const std::vector<std::string> kAnswer = {
    R"({"choices":[{"delta":{"content":"Blue."}}]})", R"({"choices":[{"delta":{},"finish_reason":"stop"}]})",
    R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2},"timings":{"cache_n":0,"prompt_n":5,"prompt_ms":10,"predicted_n":2,"predicted_ms":20}})",
    "[DONE]"};

class RunCommand : public WithDaemon {
 protected:
  void has_model() {
    on_as("GET /api/v1/models/m", 200, wire::ModelDetail{.model = model("m:latest")});
    on("GET /api/v1/events", client::stream({}));
  }
};

TEST_F(RunCommand, streams_the_answer_to_standard_output) {
  has_model();
  on("POST /v1/chat/completions", client::stream(kAnswer));
  const auto ran = run_words({"run", "m", "Why", "is it?", "--set", "seed=1", "--keepalive", "-1", "--system", "Be brief."});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "Blue.\n");
  EXPECT_EQ(ran.err, "");
  const auto question = daemon_->asked("POST /v1/chat/completions ");
  const auto request = json::parse_object(question.substr(std::min(question.find('{'), question.size())));
  ASSERT_TRUE(request) << question;
  EXPECT_EQ(request->at("model"), json::value("m:latest"));
  EXPECT_EQ(json::to_text(request->at("messages")), R"([{"role":"system","content":"Be brief."},{"role":"user","content":"Why is it?"}])");
  EXPECT_EQ(request->at("seed"), json::value(1));
  EXPECT_EQ(request->at("keep_alive"), json::value("-1"));
}

TEST_F(RunCommand, pulls_first_what_only_a_catalogue_has) {
  has_model();
  on("POST /v1/chat/completions", client::stream(kAnswer));
  on("GET /api/v1/events", client::stream({client::event("job.updated", json::encode(completed()))}));
  on("GET /api/v1/models/owner%2Frepo%3AQ4_1", 404, R"({"error":{"code":"not_found","message":"no"}})");
  on_as("POST /api/v1/models/pull", 202, job(wire::JobState::queued, 0));
  on_as("GET /api/v1/jobs/01JOB7X2M9K", 200, job(wire::JobState::running, 50));
  on_as("GET /api/v1/models/m%3Alatest", 200, wire::ModelDetail{.model = model("m:latest")});
  const auto ran = run_words({"run", "owner/repo:Q4_1", "Why?"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "Blue.\n");
  EXPECT_EQ(daemon_->asked("POST /api/v1/models/pull "), R"(POST /api/v1/models/pull {"source":"owner/repo:Q4_1"})");
}

TEST_F(RunCommand, prints_one_object_as_json) {
  has_model();
  on("POST /v1/chat/completions", client::stream(kAnswer));
  const auto parsed = json::parse_object(run_words({"run", "m", "hi", "--json"}).out);
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_EQ(parsed->at("content"), json::value("Blue."));
  EXPECT_EQ(parsed->at("finish_reason"), json::value("stop"));
  EXPECT_EQ(parsed->at("timings").at("predicted_n"), json::value(2));
}

TEST_F(RunCommand, shows_timings_when_asked) {
  has_model();
  on("POST /v1/chat/completions", client::stream(kAnswer));
  const auto ran = run_words({"run", "m", "hi", "--verbose"});
  EXPECT_EQ(ran.out, "Blue.\n");
  EXPECT_TRUE(ran.err.contains("prompt eval rate:     500.00 tokens/s\n")) << ran.err;
  EXPECT_TRUE(ran.err.contains("eval rate:            100.00 tokens/s\n")) << ran.err;
}

TEST_F(RunCommand, an_answer_that_breaks_off_is_a_failure_with_what_came) {
  has_model();
  on("POST /v1/chat/completions", client::stream({kAnswer[0], R"({"error":{"code":"upstream_failed","message":"the worker crashed"}})"}));
  const auto ran = run_words({"run", "m", "hi"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.out, "Blue.\n");
  EXPECT_EQ(ran.err, "error: the worker crashed\n");
}

TEST_F(RunCommand, a_chat_needs_a_terminal) {
  const auto ran = run_words({"run", "m"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.err, "error: a chat needs a terminal; give a prompt, or pipe one in\n");
}

TEST_F(Logs, are_made_readable_and_stay_raw_as_json) {
  const std::string line = R"({"time":"t","level":"info","component":"fleet","message":"worker ready","model":"m"})";
  on("GET /api/v1/logs", 200, json::to_text(json::value{{"lines", {line, "plain"}}}));
  EXPECT_EQ(run_words({"logs", "-n", "5"}).out, "t  info     fleet     worker ready  model=m\nplain\n");
  EXPECT_EQ(run_words({"logs", "--json"}).out, line + "\nplain\n");
  EXPECT_EQ(daemon_->asked().front(), "GET /api/v1/logs?source=daemon&lines=5");
}

TEST_F(InHome, the_log_is_read_from_its_file_when_no_daemon_runs) {
  EXPECT_EQ(run_words({"logs"}).code, 3);
  ASSERT_TRUE(std::filesystem::create_directories(home() / "state"));
  ASSERT_TRUE(os::write_file_atomic(home() / "state" / "puna.log", "one\ntwo\nthree\n"));
  EXPECT_EQ(run_words({"logs", "-n", "2"}).out, "two\nthree\n");
}

TEST_F(InHome, without_a_daemon_to_start_the_error_says_what_happened) {
  environment_["PUNA_HOST"] = "http://127.0.0.1:1";
  const auto ran = run_words({"list"});
  EXPECT_EQ(ran.code, 5);
  EXPECT_TRUE(ran.err.starts_with("error: no daemon answers at http://127.0.0.1:1")) << ran.err;
}

}  // namespace
}  // namespace puna::cli
