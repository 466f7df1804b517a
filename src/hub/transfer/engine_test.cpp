// What the engine does when all goes well, and with servers that are only peculiar.
#include <future>

#include "hub/transfer/engine_testing.h"
#include "os/file.h"

namespace puna::hub::transfer {
namespace {

using namespace testing_rig;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

TEST_F(EngineTest, brings_a_file_piece_by_piece) {
  start(kOneConnection);
  expect_brought(serve(noise(3'000'000)));
  EXPECT_GT(server.requests().size(), 3U);
  EXPECT_EQ(server.body_bytes(), 3'000'000U);
  EXPECT_EQ(rig->engine.received(), Bytes(3'000'000));
  for (const auto& seen : server.requests()) EXPECT_EQ(seen.status, 206);
  EXPECT_THAT(located, ElementsAre(Why::first));
}

TEST_F(EngineTest, sizes_around_a_piece_are_no_special_case) {
  for (const std::size_t size : {std::size_t{1}, kPieceSize - 1, kPieceSize, kPieceSize + 1, 3 * kPieceSize, 3 * kPieceSize + 1}) {
    expect_brought(serve(noise(size, size)));
    ASSERT_TRUE(rig->engine.forget("f"));
  }
}

TEST_F(EngineTest, an_empty_file_costs_no_request) {
  expect_brought(serve(""));
  EXPECT_THAT(server.requests(), IsEmpty());
}

TEST_F(EngineTest, learns_size_and_version_of_an_unknown_file) {
  const auto arrived = start().fetch_one(serve_unknown(noise(500'000), "\"abc\"")).value();
  EXPECT_EQ(arrived.size, Bytes(500'000));
  EXPECT_EQ(arrived.etag, "\"abc\"");
  EXPECT_EQ(arrived.sha256, sha256(served).hex);
}

TEST_F(EngineTest, an_unknown_file_may_be_empty) {
  server.fault({.status = 416, .headers = {{"Content-Range", "bytes */0"}}});
  EXPECT_EQ(start().fetch_one(serve_unknown("")).value().size, Bytes(0));
}

TEST_F(EngineTest, compares_with_what_git_names_the_file_by) {
  auto wanted = serve("hello\n");
  wanted.digest = Digest{Algorithm::git_sha1, "ce013625030ba8dba906f756967f9e9ca394464a"};
  expect_brought(wanted);
}

TEST_F(EngineTest, many_files_come_in_the_order_of_asking) {
  std::vector<Wanted> files;
  for (int i = 0; i < 40; ++i) {
    files.push_back(serve(noise(10'000, static_cast<std::uint64_t>(i))));
    files.back().key = "f" + std::to_string(i);
    server.serve("/" + files.back().key, fakes::File::of(served));
    files.back().locate = [url = server.url("/" + files.back().key)](Why, const std::stop_token&) -> Result<Location> {
      return Location{.url = net::Url::parse(url).value(), .headers = {}};
    };
  }
  const auto arrived = start().fetch(files).value();
  ASSERT_THAT(arrived, SizeIs(40));
  for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(arrived[i].sha256, files[i].digest->hex);
}

TEST_F(EngineTest, who_asks_for_the_same_file_shares_the_transfer) {
  const auto wanted = serve(noise(400'000));
  server.fault({.hold_before_answer = 1});
  start();
  auto first = std::async(std::launch::async, [&] { return rig->engine.fetch({wanted}, {}); });
  ASSERT_TRUE(server.await([](const auto& seen) { return seen.size() == 1; }));
  auto second = std::async(std::launch::async, [&] { return rig->engine.fetch({wanted}, {}); });
  server.release();
  EXPECT_TRUE(first.get());
  EXPECT_TRUE(second.get());
  EXPECT_LT(server.body_bytes(), 600'000U);
}

TEST_F(EngineTest, one_of_two_askers_may_leave) {
  const auto wanted = serve(noise(400'000));
  server.fault({.hold_before_answer = 1});
  start();
  std::stop_source leaves;
  auto first = std::async(std::launch::async, [&] { return rig->engine.fetch({wanted}, {.stop = leaves.get_token()}); });
  ASSERT_TRUE(server.await([](const auto& seen) { return seen.size() == 1; }));
  auto second = std::async(std::launch::async, [&] { return rig->engine.fetch({wanted}, {}); });
  leaves.request_stop();
  EXPECT_EQ(first.get().error().code, Code::cancelled);
  server.release();
  EXPECT_TRUE(second.get());
}

TEST_F(EngineTest, a_server_without_ranges_sends_the_whole) {
  const auto wanted = serve(noise(1'000'000));
  for (int i = 0; i < 9; ++i) server.fault({.whole = true});
  start(kOneConnection);
  expect_brought(wanted);
  EXPECT_EQ(server.body_bytes(), 1'000'000U);
}

TEST_F(EngineTest, a_file_of_unknown_length_is_taken_to_its_end) {
  const auto wanted = serve_unknown(noise(1'000'000));
  server.fault({.whole = true, .without_length = true});
  expect_brought(wanted);
}

TEST_F(EngineTest, parts_that_end_early_are_continued) {
  const auto wanted = serve(noise(300'000));
  for (int i = 0; i < 5; ++i) server.fault({.most = 10'000});
  start(kOneConnection);
  expect_brought(wanted);
  EXPECT_EQ(server.body_bytes(), 300'000U);
}

TEST_F(EngineTest, a_part_with_status_200_is_a_part) {
  const auto wanted = serve(noise(kPieceSize));
  server.fault({.status = 200, .body = served.substr(0, 1000), .headers = {{"Content-Range", "bytes 0-999/65536"}}});
  expect_brought(wanted);
  EXPECT_EQ(server.requests().back().range, "bytes=1000-65535");
}

TEST_F(EngineTest, what_a_redirect_leads_to_is_remembered_and_gets_no_credentials) {
  auto wanted = serve(noise(1'000'000));
  const auto storage = server.url("/f", "localhost");
  server.fault({.status = 302, .headers = {{"Location", storage}}});
  wanted.locate = [&](Why, const std::stop_token&) -> Result<Location> {
    return Location{.url = net::Url::parse(server.url("/resolve")).value(), .headers = {{"Authorization", "Bearer secret"}}};
  };
  expect_brought(wanted);
  const auto seen = server.requests();
  EXPECT_EQ(seen.front().authorization, "Bearer secret");
  for (std::size_t i = 1; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i].target, "/f");
    EXPECT_EQ(seen[i].authorization, "");
  }
}

// ledger: M8
TEST_F(EngineTest, progress_is_true_and_never_falls) {
  const auto wanted = serve(noise(2'000'000));
  server.fault({.cut_after = 30'000});
  expect_brought(wanted);
  Bytes before;
  for (const auto& now : rig->progress) {
    EXPECT_GE(now.done, before);
    EXPECT_EQ(now.total, Bytes(2'000'000));
    before = now.done;
  }
  EXPECT_EQ(rig->progress.back().done, Bytes(2'000'000));
  EXPECT_EQ(rig->progress.back().files.front().state, FileState::complete);
}

TEST_F(EngineTest, cancels_within_a_quarter_of_a_second_and_keeps_what_came) {
  const auto wanted = serve(noise(3'000'000));
  server.fault({.hold_after = 60'000});
  start({{"transfer.connections", "1"}});
  std::stop_source stop;
  auto fetch = std::async(std::launch::async, [&] { return rig->engine.fetch({wanted}, {.stop = stop.get_token()}); });
  ASSERT_TRUE(server.await([](const auto& seen) { return !seen.empty() && seen[0].body_bytes == 60'000; }));
  const auto begun = std::chrono::steady_clock::now();
  stop.request_stop();
  EXPECT_EQ(fetch.get().error().code, Code::cancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, Milliseconds(250));
  server.release();
  expect_brought(wanted);
}

TEST_F(EngineTest, a_file_that_begins_wrong_is_refused_before_more_is_fetched) {
  auto wanted = serve(noise(3'000'000));
  wanted.begins_right = [](std::string_view beginning, std::string_view) -> Result<> {
    EXPECT_GE(beginning.size(), 512U);
    return fail(Code::corrupt_data, "no model");
  };
  EXPECT_EQ(refusal_of(wanted).code, Code::corrupt_data);
  EXPECT_THAT(server.requests(), SizeIs(1));
  EXPECT_THAT(rig->names(), IsEmpty());
}

TEST_F(EngineTest, lists_and_forgets_what_is_left) {
  const auto wanted = serve(noise(3'000'000));
  leave_some(wanted, 40'000);
  start();
  ASSERT_THAT(rig->engine.partials(), SizeIs(1));
  EXPECT_EQ(rig->engine.partials().front().key, "f");
  EXPECT_GT(rig->engine.partials().front().on_disk, Bytes(0));
  ASSERT_TRUE(rig->engine.forget("f"));
  EXPECT_THAT(rig->names(), IsEmpty());
}

TEST_F(EngineTest, prunes_what_nobody_came_back_for) {
  leave_some(serve(noise(3'000'000)), 40'000);
  EXPECT_EQ(start({{"transfer.keep_partials", "1h"}}).engine.prune(), Bytes(0));
  EXPECT_GT(start({{"transfer.keep_partials", "0"}}).engine.prune(), Bytes(0));
  EXPECT_THAT(rig->names(), IsEmpty());
}

TEST_F(EngineTest, needs_room_for_everything_before_the_first_byte) {
  auto wanted = serve(noise(1000));
  wanted.size = Bytes(1ULL << 60);
  const auto refused = refusal_of(wanted);
  EXPECT_EQ(refused.code, Code::disk_full);
  EXPECT_THAT(refused.message, HasSubstr("are missing"));
  EXPECT_THAT(server.requests(), IsEmpty());
}

TEST_F(EngineTest, a_cap_holds_all_connections_back_together) {
  const auto wanted = serve(noise(600'000));
  start({{"transfer.bandwidth", "1MB"}});
  const auto begun = std::chrono::steady_clock::now();
  expect_brought(wanted);
  EXPECT_GT(std::chrono::steady_clock::now() - begun, Milliseconds(250));
}

TEST_F(EngineTest, a_schedule_that_cannot_be_read_is_refused) {
  start({{"transfer.schedule", "at night"}});
  EXPECT_EQ(refusal_of(serve("x")).code, Code::invalid_argument);
}

}  // namespace
}  // namespace puna::hub::transfer
