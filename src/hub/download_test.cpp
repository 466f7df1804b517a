// Downloads through every part of the program but its API, against a server that misbehaves.
#include "hub/pull_testing.h"
#include "hub/sha256.h"
#include "os/file.h"

namespace puna::hub {
namespace {

using namespace testing_rig;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

using Download = PullTest;

TEST_F(Download, a_file_becomes_a_model_with_one_request) {
  serve(model_bytes(300));
  const auto result = start().pulled({.source = url()});
  EXPECT_EQ(result.name, "model:latest");
  EXPECT_EQ(result.sha256, sha256_of(model_bytes(300)).value());
  EXPECT_EQ(result.change, PullChange::added);
  EXPECT_EQ(rig->bytes_of("model"), model_bytes(300));
  EXPECT_EQ(rig->library.find("model")->source, url());
  EXPECT_THAT(server.requests(), SizeIs(1));
  EXPECT_THAT(rig->downloads(), ElementsAre(HasSubstr(".json")));
}

// ledger: T5
TEST_F(Download, a_lost_connection_costs_only_what_was_not_sent_yet) {
  serve(model_bytes(500));
  server.fault({.cut_after = 200'000});
  server.fault({.cut_after = 100'000});
  EXPECT_EQ(start().pulled({.source = url()}).change, PullChange::added);
  EXPECT_EQ(rig->bytes_of("model"), model_bytes(500));
  const auto seen = server.requests();
  ASSERT_THAT(seen, SizeIs(3));
  EXPECT_EQ(seen[1].range, "bytes=200000-");
  EXPECT_EQ(seen[1].if_range, "\"v1\"");
  EXPECT_EQ(server.body_bytes(), model_bytes(500).size());
}

// ledger: T5
TEST_F(Download, a_server_that_fails_for_a_while_is_asked_again) {
  serve(model_bytes(10));
  server.fault({.status = 500});
  server.fault({.status = 503, .headers = {{"Retry-After", "0"}}});
  EXPECT_EQ(start().pulled({.source = url()}).change, PullChange::added);
  EXPECT_THAT(server.requests(), SizeIs(3));
}

// ledger: T3
TEST_F(Download, a_server_that_goes_on_failing_is_given_up_with_the_reason) {
  for (int i = 0; i < 4; ++i) server.fault({.status = 503, .body = "down for maintenance"});
  const auto failure = start().refused({.source = url()});
  EXPECT_EQ(failure.code, to_string(code_from_http_status(503)));
  EXPECT_THAT(failure.message, AllOf(HasSubstr("503"), HasSubstr("giving up after 3 tries")));
  EXPECT_THAT(server.requests(), SizeIs(3));
}

TEST_F(Download, bytes_that_come_make_earlier_failures_forgotten) {
  serve(model_bytes(100));
  for (const auto cut : {20'000, 0, 20'000, 0, 20'000}) server.fault({.cut_after = static_cast<std::uint64_t>(cut)});
  EXPECT_EQ(start().pulled({.source = url()}).change, PullChange::added);
  EXPECT_THAT(server.requests(), SizeIs(6));
}

// ledger: T3
TEST_F(Download, a_missing_file_is_not_asked_for_twice) {
  const auto failure = start().refused({.source = url()});
  EXPECT_EQ(failure.code, "not_found");
  EXPECT_THAT(failure.message, HasSubstr("/model.gguf"));
  EXPECT_THAT(server.requests(), SizeIs(1));
  EXPECT_THAT(rig->downloads(), IsEmpty());
}

TEST_F(Download, a_server_without_ranges_is_asked_for_the_whole) {
  serve(model_bytes(300));
  leave_part(100'000);
  server.fault({.whole = true});
  EXPECT_EQ(start().pulled({.source = url()}).change, PullChange::added);
  EXPECT_EQ(rig->bytes_of("model"), model_bytes(300));
}

// ledger: D14
TEST_F(Download, a_range_that_was_not_asked_for_is_not_used) {
  serve(model_bytes(300));
  leave_part(100'000);
  const auto size = model_bytes(300).size();
  server.fault({.headers = {{"Content-Range", fmt::format("bytes 100001-{}/{}", size - 1, size)}}});
  EXPECT_EQ(start().pulled({.source = url()}).change, PullChange::added);
  EXPECT_EQ(rig->bytes_of("model"), model_bytes(300));
  EXPECT_EQ(server.requests().back().range, "");
}

// ledger: D14
TEST_F(Download, a_file_that_changed_meanwhile_is_never_mixed_with_its_older_state) {
  serve(model_bytes(300));
  leave_part(100'000);
  serve(model_bytes(300, 2), "\"v2\"");
  EXPECT_EQ(start().pulled({.source = url()}).sha256, sha256_of(model_bytes(300, 2)).value());
}

// ledger: D14
TEST_F(Download, a_server_that_ignores_if_range_is_caught_by_the_entity_tag) {
  serve(model_bytes(300));
  leave_part(100'000);
  serve(model_bytes(300, 2), "\"v2\"");
  const auto range = fmt::format("bytes 100000-100000/{}", model_bytes(300).size());
  server.fault({.status = 206, .body = "x", .headers = {{"Content-Range", range}, {"ETag", "\"v2\""}}});
  EXPECT_EQ(start().pulled({.source = url()}).sha256, sha256_of(model_bytes(300, 2)).value());
}

TEST_F(Download, a_file_without_validators_is_never_continued) {
  serve(model_bytes(300), "");
  leave_part(100'000);
  EXPECT_EQ(start().pulled({.source = url()}).change, PullChange::added);
  EXPECT_EQ(server.requests().back().range, "bytes=0-");
}

TEST_F(Download, shorter_ranges_than_asked_for_are_joined) {
  serve(model_bytes(300));
  for (int i = 0; i < 3; ++i) server.fault({.most = 100'000});
  EXPECT_EQ(start({{"network.retry_attempts", "1"}}).pulled({.source = url()}).change, PullChange::added);
  EXPECT_EQ(rig->bytes_of("model"), model_bytes(300));
  EXPECT_THAT(server.requests(), SizeIs(4));
}

TEST_F(Download, a_server_that_sends_nothing_is_not_asked_for_ever) {
  serve(model_bytes(300));
  leave_part(100'000);
  const auto range = fmt::format("bytes 100000-{}/{}", model_bytes(300).size() - 1, model_bytes(300).size());
  for (int i = 0; i < 5; ++i) server.fault({.status = 206, .headers = {{"Content-Range", range}, {"ETag", "\"v1\""}}});
  EXPECT_THAT(start().refused({.source = url()}).message, HasSubstr("giving up after 3 tries"));
}

TEST_F(Download, a_server_without_ranges_that_breaks_off_early_is_given_up) {
  serve(model_bytes(300));
  for (int i = 0; i < 9; ++i) server.fault({.headers = {{"Accept-Ranges", "none"}}, .whole = true, .cut_after = 100'000});
  EXPECT_EQ(start().refused({.source = url()}).code, "unavailable");
  EXPECT_THAT(server.requests(), SizeIs(3));
}

TEST_F(Download, the_size_may_become_known_on_the_way) {
  serve(model_bytes(300));
  server.fault({.whole = true, .without_length = true, .cut_after = 100'000});
  server.fault({.most = 100'000});
  EXPECT_EQ(start().pulled({.source = url()}).change, PullChange::added);
  EXPECT_EQ(rig->bytes_of("model"), model_bytes(300));
}

TEST_F(Download, a_server_that_wants_a_login_is_said_to) {
  server.fault({.status = 401});
  const auto failure = start().refused({.source = url()});
  EXPECT_EQ(failure.code, "unauthenticated");
  EXPECT_THAT(failure.message, HasSubstr("a name and a password"));
}

TEST_F(Download, a_file_of_unknown_size_is_taken_to_its_end) {
  serve(model_bytes(300));
  server.fault({.whole = true, .without_length = true});
  EXPECT_EQ(start().pulled({.source = url()}).change, PullChange::added);
  EXPECT_EQ(rig->bytes_of("model"), model_bytes(300));
}

// ledger: D14
TEST_F(Download, a_web_page_instead_of_the_file_is_refused) {
  server.fault({.status = 200, .body = "<!DOCTYPE html><title>Log in</title>", .headers = {{"Content-Type", "text/html"}}});
  const auto failure = start().refused({.source = url()});
  EXPECT_EQ(failure.code, "corrupt_data");
  EXPECT_THAT(failure.message, AllOf(HasSubstr("a web page (text/html) came"), HasSubstr(url())));
  EXPECT_THAT(server.requests(), SizeIs(1));
  EXPECT_THAT(rig->downloads(), IsEmpty());
}

// ledger: D14
TEST_F(Download, a_login_page_in_the_middle_does_not_cost_what_is_here) {
  serve(model_bytes(300));
  leave_part(100'000);
  server.fault({.status = 200, .body = "<html>", .headers = {{"Content-Type", "text/html"}}});
  EXPECT_EQ(start().refused({.source = url()}).code, "corrupt_data");
  EXPECT_EQ(rig->pulled({.source = url()}).change, PullChange::added);
  EXPECT_EQ(server.requests().back().range, "bytes=100000-");
}

// ledger: T9
TEST_F(Download, a_server_that_does_not_answer_is_given_up_after_its_deadline) {
  server.fault({.hold_before_answer = 1});
  const auto failure = start({{"network.first_byte_deadline", "50ms"}, {"network.retry_attempts", "1"}}).refused({.source = url()});
  EXPECT_EQ(failure.code, "deadline_exceeded");
  EXPECT_THAT(failure.message, HasSubstr("50 ms"));
}

// ledger: T9
TEST_F(Download, a_server_that_falls_silent_is_dialled_again) {
  serve(model_bytes(300));
  server.fault({.hold_after = 100'000});
  EXPECT_EQ(start({{"network.idle_deadline", "100ms"}}).pulled({.source = url()}).change, PullChange::added);
  EXPECT_EQ(server.requests().back().range, "bytes=100000-");
}

// ledger: T12
TEST_F(Download, offline_mode_refuses_other_machines_only) {
  serve(model_bytes(10));
  start({{"network.offline", "true"}});
  const auto failure = rig->refused({.source = "http://models.example/model.gguf"});
  EXPECT_EQ(failure.code, "unavailable");
  EXPECT_THAT(failure.message, HasSubstr("network.offline"));
  EXPECT_EQ(rig->pulled({.source = url()}).change, PullChange::added);
}

// ledger: T5
TEST_F(Download, the_number_of_tries_is_a_setting_that_applies_at_once) {
  Rig with_file(folder.path(), {{"network.retry_base", "1ms"}});
  ASSERT_TRUE(os::write_file_atomic(with_file.settings.file(), "[network]\nretry_attempts = 2\n"));
  with_file.settings.reload();
  for (int i = 0; i < 3; ++i) server.fault({.status = 500});
  EXPECT_THAT(with_file.refused({.source = url()}).message, HasSubstr("2 tries"));
  EXPECT_THAT(server.requests(), SizeIs(2));
}

// ledger: M8
TEST_F(Download, progress_is_what_came_and_never_falls) {
  serve(model_bytes(2000));
  server.fault({.cut_after = 1'000'000});
  start().pulled({.source = url()});
  std::int64_t before = 0;
  for (const auto& job : rig->history()) {
    if (job.progress.phase != "downloading") continue;
    EXPECT_EQ(job.progress.total, static_cast<std::int64_t>(model_bytes(2000).size()));
    EXPECT_GE(job.progress.done, before);
    before = job.progress.done;
  }
  const auto last = rig->history().back().progress;
  EXPECT_EQ(last.done, static_cast<std::int64_t>(model_bytes(2000).size()));
  EXPECT_EQ(last.phase, "adding");
}

}  // namespace
}  // namespace puna::hub
