// What goes wrong on the way, and what it costs.
#include <fmt/format.h>

#include <atomic>
#include <future>

#include "hub/transfer/engine_testing.h"
#include "os/file.h"

namespace puna::hub::transfer {
namespace {

using namespace testing_rig;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// ledger: D1
TEST_F(EngineTest, connections_that_break_cost_only_what_did_not_come) {
  const auto wanted = serve(noise(1'000'000));
  for (int i = 0; i < 8; ++i) server.fault({.cut_after = 20'000});
  start(kOneConnection);
  expect_brought(wanted);
  EXPECT_EQ(server.body_bytes(), 1'000'000U);
}

TEST_F(EngineTest, is_given_up_after_as_many_tries_as_the_settings_say) {
  for (int i = 0; i < 9; ++i) server.fault({.status = 500});
  const auto error = refusal_of(serve(noise(1000)));
  EXPECT_THAT(error.text(), HasSubstr("giving up after 3 tries"));
  EXPECT_THAT(server.requests(), SizeIs(3));
}

TEST_F(EngineTest, a_burst_of_server_errors_passes) {
  const auto wanted = serve(noise(500'000));
  for (const int status : {500, 502, 503, 504}) server.fault({.status = status});
  start({{"network.retry_attempts", "6"}});
  expect_brought(wanted);
}

TEST_F(EngineTest, obeys_retry_after) {
  const auto wanted = serve(noise(1000));
  server.fault({.status = 429, .headers = {{"Retry-After", "1"}}});
  const auto begun = std::chrono::steady_clock::now();
  expect_brought(wanted);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, Milliseconds(900));
  EXPECT_TRUE(std::ranges::any_of(rig->progress, [](const auto& now) { return now.phase == "waiting" && !now.note.empty(); }));
}

TEST_F(EngineTest, a_missing_file_is_said_at_once) {
  auto wanted = serve(noise(1000));
  server.fault({.status = 404, .body = R"({"error":"Entry not found"})", .headers = {{"X-Error-Code", "EntryNotFound"}}});
  const auto error = refusal_of(wanted);
  EXPECT_EQ(error.code, Code::not_found);
  EXPECT_THAT(error.message, AllOf(HasSubstr("Entry not found"), HasSubstr("EntryNotFound")));
  EXPECT_THAT(server.requests(), SizeIs(1));
}

TEST_F(EngineTest, a_signed_url_that_ends_on_the_way_is_renewed) {
  const auto wanted = serve(noise(1'000'000));
  for (int i = 0; i < 3; ++i) server.fault({});
  server.fault({.status = 403, .body = "<Error>expired</Error>"});
  expect_brought(wanted);
  EXPECT_THAT(located, ElementsAre(Why::first, Why::expired));
  EXPECT_LE(server.body_bytes(), 1'000'100U);
}

TEST_F(EngineTest, a_storage_host_whose_name_is_not_found_on_the_way_is_asked_for_anew) {
  const auto wanted = serve(noise(500'000));
  server.fault({.cut_after = 20'000});
  for (int i = 0; i < 2; ++i) server.fault({.status = 302, .headers = {{"Location", "http://storage.invalid/f"}}});
  start({{"transfer.connections", "1"}, {"network.retry_attempts", "4"}});
  expect_brought(wanted);
  EXPECT_EQ(server.body_bytes(), 500'000U);
}

TEST_F(EngineTest, a_storage_host_whose_name_is_not_found_is_named) {
  const auto wanted = serve(noise(1000));
  for (int i = 0; i < 9; ++i) server.fault({.status = 302, .headers = {{"Location", "http://storage.invalid/f"}}});
  const auto error = refusal_of(wanted);
  EXPECT_EQ(error.code, Code::unavailable);
  EXPECT_THAT(error.text(), HasSubstr("could not resolve host 'storage.invalid'"));
}

TEST_F(EngineTest, renewals_have_an_end) {
  const auto wanted = serve(noise(500'000));
  server.fault({.cut_after = 1000});
  for (int i = 0; i < 60; ++i) server.fault({.status = 403});
  EXPECT_EQ(refusal_of(wanted).code, Code::permission_denied);
  EXPECT_LE(located.size(), 6U);
}

TEST_F(EngineTest, another_mirror_is_asked_for_when_one_fails) {
  auto wanted = serve(noise(500'000));
  wanted.locate = [&](Why why, const std::stop_token&) -> Result<Location> {
    located.push_back(why);
    const auto url = why == Why::mirror ? server.url("/f") : "http://127.0.0.1:1/f";
    return Location{.url = net::Url::parse(url).value(), .headers = {}};
  };
  start({{"network.retry_attempts", "5"}});
  expect_brought(wanted);
  EXPECT_THAT(located, ElementsAre(Why::first, Why::mirror));
}

// ledger: D14
TEST_F(EngineTest, a_web_page_instead_of_the_file_is_refused) {
  const auto wanted = serve(noise(500'000));
  server.fault({.status = 200, .body = "<!DOCTYPE html><title>Log in</title>", .headers = {{"Content-Type", "text/html"}}});
  const auto error = refusal_of(wanted);
  EXPECT_EQ(error.code, Code::corrupt_data);
  EXPECT_THAT(error.text(), AllOf(HasSubstr("a web page (text/html"), HasSubstr("owner/repo/f.gguf")));
  EXPECT_THAT(rig->names(), IsEmpty());
}

// ledger: D14
TEST_F(EngineTest, a_web_page_in_the_middle_does_not_cost_what_is_here) {
  const auto wanted = serve(noise(3'000'000));
  leave_some(wanted, 60'000);
  server.fault({.status = 200, .body = "<html>", .headers = {{"Content-Type", "text/html"}}});
  EXPECT_EQ(refusal_of(wanted).code, Code::corrupt_data);
  expect_brought(wanted);
  EXPECT_LT(server.body_bytes(), 3'001'000U);
}

TEST_F(EngineTest, the_pointer_of_git_lfs_is_not_the_file) {
  auto wanted = serve_unknown("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n");
  EXPECT_THAT(refusal_of(wanted).text(), HasSubstr("LFS pointer"));
}

TEST_F(EngineTest, an_encoded_answer_is_refused) {
  const auto wanted = serve(noise(1000));
  for (int i = 0; i < 3; ++i) server.fault({.headers = {{"Content-Encoding", "gzip"}}});
  EXPECT_THAT(refusal_of(wanted).text(), HasSubstr("encoding 'gzip'"));
}

TEST_F(EngineTest, a_range_from_elsewhere_never_gets_into_the_file) {
  const auto wanted = serve(noise(500'000));
  for (int i = 0; i < 2; ++i) server.fault({.headers = {{"Content-Range", "bytes 1-65536/500000"}}});
  expect_brought(wanted);
}

TEST_F(EngineTest, another_size_than_the_wanted_one_is_refused) {
  auto wanted = serve(noise(500'000));
  wanted.size = Bytes(400'000);
  const auto error = refusal_of(wanted);
  EXPECT_EQ(error.code, Code::upstream_failed);
  EXPECT_THAT(error.text(), HasSubstr("500000 bytes instead of 400000"));
}

// ledger: D14
TEST_F(EngineTest, one_flipped_bit_is_found_and_only_its_part_replaced) {
  const auto right = noise(1'000'000);
  auto wanted = serve(right);
  auto wrong = right;
  wrong[500'000] ^= 1;
  std::atomic<int> reads = 0;
  server.serve("/f", {.read =
                          [&, wrong](std::uint64_t offset, std::size_t length) {
                            const bool here = offset <= 500'000 && 500'000 < offset + length;
                            return (here && reads++ == 0 ? wrong : right).substr(offset, length);
                          },
                      .size = right.size(),
                      .last_modified = {}});
  expect_brought(wanted);
  EXPECT_LE(server.body_bytes(), 2'000'000U);
}

TEST_F(EngineTest, a_file_that_stays_wrong_is_put_aside) {
  auto wanted = serve(noise(300'000));
  wanted.digest = sha256("something else");
  const auto error = refusal_of(wanted);
  EXPECT_EQ(error.code, Code::corrupt_data);
  EXPECT_THAT(error.message, HasSubstr("also when it is fetched again"));
  EXPECT_THAT(rig->names(), ElementsAre("f.damaged"));
  EXPECT_TRUE(rig->engine.partials().front().quarantined);
}

// ledger: T9
TEST_F(EngineTest, a_connection_that_falls_silent_is_dialled_again) {
  const auto wanted = serve(noise(500'000));
  server.fault({.hold_after = 10'000});
  start({{"transfer.stall", "100ms"}, {"transfer.connections", "1"}});
  expect_brought(wanted);
  EXPECT_EQ(server.body_bytes(), 500'000U);
}

// ledger: T9
TEST_F(EngineTest, a_connection_far_slower_than_the_others_is_dialled_again) {
  const auto wanted = serve(noise(40 * kPieceSize));
  server.fault({});
  server.fault({.hold_after = 100});
  start({{"transfer.slow", "300ms"}});
  expect_brought(wanted);
}

TEST_F(EngineTest, the_schedule_can_pause_transfers) {
  const auto wanted = serve(noise(1000));
  start({{"transfer.schedule", "00:00-24:00=pause"}});
  std::stop_source stop;
  auto fetch = std::async(std::launch::async, [&] {
    return rig->engine.fetch({wanted}, {.stop = stop.get_token(), .target = {}, .progress = [&](const Progress& now) {
                                          if (now.note.find("schedule") != std::string::npos) stop.request_stop();
                                        }});
  });
  EXPECT_EQ(fetch.get().error().code, Code::cancelled);
  EXPECT_THAT(server.requests(), IsEmpty());
}

TEST_F(EngineTest, a_setting_applies_to_what_is_under_way) {
  const auto wanted = serve(noise(2'000'000));
  ASSERT_TRUE(os::write_file_atomic(folder.path() / "config.toml", "[transfer]\nbandwidth = \"100kB\"\n"));
  start();
  auto fetch = std::async(std::launch::async, [&] { return rig->engine.fetch({wanted}, {}); });
  ASSERT_TRUE(server.await([](const auto& seen) { return !seen.empty() && seen[0].body_bytes > 0; }));
  ASSERT_TRUE(os::write_file_atomic(folder.path() / "config.toml", "[transfer]\nbandwidth = \"0\"\n"));
  rig->settings.reload();
  ASSERT_EQ(fetch.wait_for(Seconds(10)), std::future_status::ready) << "20 s under the old cap";
  EXPECT_TRUE(fetch.get());
}

TEST_F(EngineTest, an_unknown_file_that_changes_begins_anew) {
  auto wanted = serve_unknown(noise(3'000'000, 1), "\"old\"");
  leave_some(wanted, 60'000);
  wanted = serve_unknown(noise(3'000'000, 2), "\"new\"");
  expect_brought(wanted);
}

TEST_F(EngineTest, without_validators_parts_of_two_answers_are_never_joined) {
  const auto wanted = serve_unknown(noise(500'000), "");
  server.fault({.cut_after = 1000});
  server.fault({.cut_after = 100'000});
  expect_brought(wanted);
  EXPECT_EQ(server.requests().back().range, "");
}

TEST_F(EngineTest, one_failing_file_fails_the_fetch_and_keeps_the_others) {
  const auto good = serve(noise(3'000'000));
  auto bad = good;
  bad.key = "bad";
  bad.locate = [](Why, const std::stop_token&) -> Result<Location> { return fail(Code::not_found, "no such file"); };
  EXPECT_EQ(start().fetch({good, bad}).error().code, Code::not_found);
  expect_brought(good);
}

TEST_F(EngineTest, a_location_that_hangs_does_not_hold_up_a_cancel) {
  auto wanted = serve(noise(1000));
  std::promise<void> asked;
  wanted.locate = [&](Why, const std::stop_token& stop) -> Result<Location> {
    asked.set_value();
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait(lock, stop, [] { return false; });
    return fail(Code::cancelled, "");
  };
  start();
  std::stop_source stop;
  auto fetch = std::async(std::launch::async, [&] { return rig->engine.fetch({wanted}, {.stop = stop.get_token()}); });
  asked.get_future().wait();
  stop.request_stop();
  EXPECT_EQ(fetch.get().error().code, Code::cancelled);
}

}  // namespace
}  // namespace puna::hub::transfer
