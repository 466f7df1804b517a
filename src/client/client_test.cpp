#include "client/client.h"

#include <gtest/gtest.h>

#include <future>

#include "client/address.h"
#include "client/scripted_daemon_testing.h"
#include "os/temporary_folder.h"

namespace puna::client {
namespace {

constexpr std::chrono::seconds kPatience(10);

class ClientOfDaemon : public testing::Test {
 protected:
  os::TemporaryFolder folder_ = os::TemporaryFolder::create().value();
  Address address_{folder_.path() / "puna.sock", std::nullopt};
  ScriptedDaemon daemon_{address_.socket};
  Client client_{address_};
};

json::value job(std::string_view state, int done) {
  return {{"id", "J1"},         {"kind", "pull"},   {"title", "pull m"},
          {"state", state},     {"attempt", 1},     {"progress", {{"done", done}, {"unit", "bytes"}, {"phase", "downloading"}}},
          {"request", nullptr}, {"created_at", ""}, {"updated_at", ""}};
}

json::value running(std::string name, wire::WorkerState state, double progress) {
  return json::encode(wire::RunningModel{.name = std::move(name), .purpose = "generate", .state = state, .load_progress = progress});
}

std::string piece(std::string_view content) {
  return json::to_text({{"choices", {{{"delta", {{"content", content}}}}}}});
}

TEST_F(ClientOfDaemon, a_model_name_with_slashes_stays_one_segment) {
  daemon_.on("DELETE /api/v1/models/a%2Fb%3A1", reply(200, R"({"name":"a/b:1","freed_bytes":5,"remaining_names":[]})"));
  const auto removal = client_.remove_model("a/b:1", {.now = true});
  ASSERT_TRUE(removal) << removal.error().text();
  EXPECT_EQ(removal->freed_bytes, 5);
  EXPECT_EQ(daemon_.asked().front(), "DELETE /api/v1/models/a%2Fb%3A1?now=true");
}

TEST_F(ClientOfDaemon, the_daemons_error_comes_back_with_its_code) {
  daemon_.on("GET /api/v1/models/x", reply(404, R"({"error":{"code":"not_found","message":"no model 'x'; did you mean 'y'?"}})"));
  const auto model = client_.model("x");
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, Code::not_found);
  EXPECT_EQ(model.error().message, "no model 'x'; did you mean 'y'?");
}

TEST_F(ClientOfDaemon, members_that_only_a_newer_daemon_knows_are_passed_over) {
  daemon_.on("GET /api/v1/version", reply(200, R"({"version":"9","llama_cpp":"v9","compiler":"c","further":{}})"));
  const auto version = client_.version();
  ASSERT_TRUE(version) << version.error().text();
  EXPECT_EQ(version->version, "9");
}

TEST_F(ClientOfDaemon, something_else_that_answers_is_recognised) {
  daemon_.on("GET /api/v1/models", reply(200, "<html>"));
  const auto models = client_.models();
  ASSERT_FALSE(models);
  EXPECT_EQ(models.error().code, Code::upstream_failed);
  EXPECT_TRUE(models.error().message.contains("does not answer like Puna")) << models.error().message;
}

TEST(Client, without_a_daemon_the_error_says_how_to_get_one) {
  const auto folder = os::TemporaryFolder::create().value();
  const auto models = Client({folder.path() / "puna.sock", std::nullopt}).models();
  ASSERT_FALSE(models);
  EXPECT_EQ(models.error().code, Code::unavailable);
  EXPECT_TRUE(models.error().message.contains("start one with `puna serve`")) << models.error().message;
}

TEST_F(ClientOfDaemon, a_call_ends_when_it_is_stopped) {
  std::stop_source stop;
  daemon_.on("GET /api/v1/models", silence([&] { stop.request_stop(); }));
  const auto models = client_.models(stop.get_token());
  ASSERT_FALSE(models);
  EXPECT_EQ(models.error().code, Code::cancelled);
}

TEST_F(ClientOfDaemon, a_stopped_call_leaves_the_client_usable) {
  std::stop_source stop;
  daemon_.on("GET /api/v1/models", silence([&] { stop.request_stop(); }));
  daemon_.on("GET /api/v1/running", reply(200, R"({"models":[]})"));
  EXPECT_FALSE(client_.models(stop.get_token()));
  EXPECT_TRUE(client_.running());
}

TEST_F(ClientOfDaemon, an_answer_streams_piece_by_piece) {
  daemon_.on("POST /v1/chat/completions",
             stream({piece("a"), piece("b"), R"({"choices":[{"delta":{},"finish_reason":"stop"}]})", "[DONE]"}));
  std::vector<std::string> pieces;
  const auto end = client_.chat({.model = "m"}, {[&](const ChatDelta& delta) { pieces.push_back(delta.content); }});
  ASSERT_TRUE(end) << end.error().text();
  EXPECT_EQ(pieces, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(end->finish_reason, "stop");
}

TEST_F(ClientOfDaemon, stopping_an_answer_frees_the_daemon) {
  std::promise<void> left;
  daemon_.on("POST /v1/chat/completions", then(stream({piece("a")}, Ending::held), [&] { left.set_value(); }));
  std::stop_source stop;
  const auto end = client_.chat({.model = "m"}, {[&](const ChatDelta&) { stop.request_stop(); }}, stop.get_token());
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, Code::cancelled);
  EXPECT_EQ(left.get_future().wait_for(kPatience), std::future_status::ready);
}

TEST_F(ClientOfDaemon, an_answer_whose_connection_breaks_is_an_error) {
  daemon_.on("POST /v1/chat/completions", stream({piece("a")}, Ending::broken));
  const auto end = client_.chat({.model = "m"}, {[](const ChatDelta&) {}});
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, Code::unavailable);
}

TEST_F(ClientOfDaemon, a_job_is_followed_to_its_end) {
  daemon_.on("GET /api/v1/jobs/J1", reply_json(200, job("running", 1)));
  daemon_.on("GET /api/v1/events", stream({event("job.updated", job("running", 2)), event("model.added", {{"name", "m"}}),
                                           event("job.updated", job("completed", 3))},
                                          Ending::held));
  std::vector<std::int64_t> done;
  const auto ended = client_.wait_for_job("J1", [&](const wire::Job& update) { done.push_back(update.progress.done); });
  ASSERT_TRUE(ended) << ended.error().text();
  EXPECT_EQ(ended->state, wire::JobState::completed);
  EXPECT_EQ(done, (std::vector<std::int64_t>{1, 2, 3}));
}

TEST_F(ClientOfDaemon, a_job_is_read_anew_when_the_event_stream_breaks) {
  daemon_.on("GET /api/v1/events", stream({}, Ending::broken));
  daemon_.on("GET /api/v1/jobs/J1", in_turn({reply_json(200, job("running", 1)), reply_json(200, job("completed", 2))}));
  std::vector<std::int64_t> done;
  const auto ended = client_.wait_for_job("J1", [&](const wire::Job& update) { done.push_back(update.progress.done); });
  ASSERT_TRUE(ended) << ended.error().text();
  EXPECT_EQ(done, (std::vector<std::int64_t>{1, 2}));
}

TEST_F(ClientOfDaemon, a_job_is_read_anew_when_events_were_missed) {
  daemon_.on("GET /api/v1/events", stream({event("x", json::object()), event("events.reset", json::object())}, Ending::held));
  daemon_.on("GET /api/v1/jobs/J1", in_turn({reply_json(200, job("running", 1)), reply_json(200, job("paused", 1))}));
  const auto rests = client_.wait_for_job("J1", {});
  ASSERT_TRUE(rests) << rests.error().text();
  EXPECT_EQ(rests->state, wire::JobState::paused);
}

TEST_F(ClientOfDaemon, a_load_reports_its_progress_and_then_the_model) {
  auto told = std::make_shared<std::promise<void>>();
  auto heard = told->get_future().share();
  daemon_.on("GET /api/v1/events", stream({event("worker.progress", running("other", wire::WorkerState::loading, 0.9)),
                                           event("worker.progress", running("m", wire::WorkerState::loading, 0.5))},
                                          Ending::held));
  daemon_.on("POST /api/v1/running/m",
             daemon_.after([heard] { heard.wait_for(kPatience); }, reply_json(200, running("m", wire::WorkerState::ready, 1))));
  std::vector<double> progress;
  const auto model = client_.load("m", {}, [&](const wire::RunningModel& update) {
    progress.push_back(update.load_progress);
    told->set_value();
  });
  ASSERT_TRUE(model) << model.error().text();
  EXPECT_EQ(model->state, wire::WorkerState::ready);
  EXPECT_EQ(progress, std::vector<double>{0.5});
}

TEST_F(ClientOfDaemon, log_lines_are_followed_as_they_come) {
  daemon_.on("GET /api/v1/logs", stream({"one", "two"}));
  std::vector<std::string> lines;
  const auto followed = client_.follow_logs("a/b", 10, [&](std::string_view line) { lines.emplace_back(line); });
  ASSERT_TRUE(followed) << followed.error().text();
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(daemon_.asked().front(), "GET /api/v1/logs?source=a%2Fb&lines=10&follow=true");
}

TEST_F(ClientOfDaemon, a_watcher_is_told_to_read_the_state_first_and_again_after_a_break) {
  daemon_.on("GET /api/v1/events", stream({event("x", json::object())}, Ending::broken));
  std::string seen;
  const auto watched = client_.watch([&](const wire::EventView* event) {
    seen += event ? event->type : "-";
    return seen.size() < 4 ? Next::go_on : Next::enough;
  });
  ASSERT_TRUE(watched) << watched.error().text();
  EXPECT_EQ(seen, "-x-x");
}

}  // namespace
}  // namespace puna::client
