// What a kill, a restart and damage cost.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <future>
#include <random>

#include "hub/transfer/engine_testing.h"
#include "hub/transfer/forked_testing.h"
#include "os/file.h"

namespace puna::hub::transfer {
namespace {

using namespace testing_rig;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::size_t kSize = 5'000'000;

// ledger: M2
TEST_F(EngineTest, goes_on_where_an_earlier_transfer_ended) {
  const auto wanted = serve(noise(kSize));
  leave_some(wanted, 60'000);
  start(kOneConnection);
  expect_brought(wanted);
  EXPECT_EQ(server.body_bytes(), kSize);
}

TEST_F(EngineTest, goes_on_with_other_pieces_other_connections_and_another_server) {
  auto wanted = serve(noise(kSize));
  leave_some(wanted, 60'000);
  const auto before = server.body_bytes();
  fakes::FileServer other;
  other.serve("/mirror", fakes::File::of(served, "\"elsewhere\""));
  wanted.locate = [&](Why, const std::stop_token&) -> Result<Location> {
    return Location{.url = net::Url::parse(other.url("/mirror")).value(), .headers = {{"Authorization", "Bearer other"}}};
  };
  start({{"transfer.piece", "100000"}, {"transfer.connections", "3"}});
  expect_brought(wanted);
  EXPECT_LT(before + other.body_bytes(), kSize + kSize / 2);
}

TEST_F(EngineTest, what_is_complete_already_is_only_hashed) {
  const auto wanted = serve(noise(kSize));
  expect_brought(wanted);
  const auto requests = server.requests().size();
  start();
  expect_brought(wanted);
  EXPECT_THAT(server.requests(), SizeIs(requests));
}

// ledger: D14
TEST_F(EngineTest, a_damaged_block_of_an_earlier_transfer_is_fetched_again_alone) {
  const std::size_t size = 20 << 20;
  const auto wanted = serve(noise(size));
  start({{"transfer.piece", "1M"}});
  expect_brought(wanted);
  const os::UniqueFd file(::open((folder.path() / "downloads" / "f.part").c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::pwrite(file.get(), "damage", 6, 10 << 20), 6);
  const auto before = server.body_bytes();
  start({{"transfer.piece", "1M"}, {"transfer.connections", "1"}});
  expect_brought(wanted);
  EXPECT_EQ(server.body_bytes() - before, std::uint64_t{8} << 20);
}

TEST_F(EngineTest, a_damaged_journal_is_never_believed) {
  const auto wanted = serve(noise(kSize));
  leave_some(wanted, 60'000);
  const auto journal = folder.path() / "downloads" / "f.journal";
  auto text = os::read_file(journal, mib(1)).value();
  for (auto& c : text) c = c == '0' ? '1' : c;
  ASSERT_TRUE(os::write_file_atomic(journal, text));
  expect_brought(wanted);
}

TEST_F(EngineTest, a_complete_file_without_a_journal_is_hashed_and_taken) {
  const auto wanted = serve(noise(kSize));
  expect_brought(wanted);
  std::filesystem::remove(folder.path() / "downloads" / "f.journal");
  const auto requests = server.requests().size();
  start();
  expect_brought(wanted);
  EXPECT_THAT(server.requests(), SizeIs(requests));
}

TEST_F(EngineTest, a_wrong_file_without_a_journal_is_fetched_anew) {
  const auto wanted = serve(noise(kSize));
  std::filesystem::create_directories(folder.path() / "downloads");
  ASSERT_TRUE(os::write_file_atomic(folder.path() / "downloads" / "f.part", noise(kSize, 2)));
  start(kOneConnection);
  expect_brought(wanted);
  EXPECT_EQ(server.body_bytes(), kSize);
}

TEST_F(EngineTest, a_shortened_file_is_fetched_anew) {
  const auto wanted = serve(noise(kSize));
  leave_some(wanted, 60'000);
  std::filesystem::resize_file(folder.path() / "downloads" / "f.part", 1000);
  expect_brought(wanted);
}

TEST_F(EngineTest, a_clock_that_jumped_back_costs_nothing_that_is_here) {
  const auto wanted = serve(noise(kSize));
  leave_some(wanted, 60'000);
  for (const auto* name : {"f.part", "f.journal", "f.recent"})
    if (const auto file = folder.path() / "downloads" / name; std::filesystem::exists(file))
      std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now() + std::chrono::hours(24));
  start({{"transfer.connections", "1"}, {"transfer.keep_partials", "1s"}});
  EXPECT_EQ(rig->engine.prune(), Bytes(0));
  expect_brought(wanted);
  EXPECT_EQ(server.body_bytes(), kSize);
}

TEST_F(EngineTest, another_file_under_the_same_key_is_fetched_anew) {
  leave_some(serve(noise(kSize, 1)), 60'000);
  expect_brought(serve(noise(kSize, 2)));
}

TEST_F(EngineTest, never_writes_into_a_file_that_has_another_name_by_now) {
  const auto wanted = serve(noise(kSize, 1));
  expect_brought(wanted);
  const auto taken = folder.path() / "taken";
  std::filesystem::create_hard_link(folder.path() / "downloads" / "f.part", taken);
  expect_brought(serve(noise(kSize, 2)));
  EXPECT_TRUE(os::read_file(taken, mib(10)).value() == noise(kSize, 1));
}

// Where locks are given to everybody, another program may complete the file first.
TEST_F(EngineTest, writes_nothing_more_into_a_file_that_is_taken_away_meanwhile) {
  const auto wanted = serve(noise(kSize));
  server.fault({.hold_after = 1000});
  start(kOneConnection);
  auto fetch = std::async(std::launch::async, [&] { return rig->fetch_one(wanted); });
  ASSERT_TRUE(server.await([](const auto& seen) { return !seen.empty() && seen[0].body_bytes == 1000; }));
  const auto taken = folder.path() / "taken";
  std::filesystem::rename(folder.path() / "downloads" / "f.part", taken);
  ASSERT_TRUE(os::write_file_atomic(folder.path() / "copy", os::read_file(taken, mib(10)).value()));
  server.release();
  EXPECT_EQ(fetch.get().error().code, Code::conflict);
  EXPECT_TRUE(os::read_file(taken, mib(10)).value() == os::read_file(folder.path() / "copy", mib(10)).value());
  expect_brought(wanted);
}

TEST_F(EngineTest, another_program_at_the_same_file_is_a_conflict) {
  const auto wanted = serve(noise(kSize));
  server.fault({.hold_after = 1000});
  start();
  std::stop_source stop;
  std::jthread first([&] { EXPECT_FALSE(rig->engine.fetch({wanted}, {.stop = stop.get_token()})); });
  ASSERT_TRUE(server.await([](const auto& seen) { return !seen.empty() && seen[0].body_bytes == 1000; }));
  Rig other(folder.path(), quick_settings());
  EXPECT_EQ(other.fetch_one(wanted).error().code, Code::conflict);
  stop.request_stop();
}

TEST_F(EngineTest, a_storm_of_cancels_ends_with_the_right_file) {
  const auto wanted = serve(noise(kSize));
  start({{"transfer.bandwidth", "40MB"}});
  std::minstd_rand dice(5);
  for (int i = 0; i < 30; ++i) {
    std::stop_source stop;
    const auto progress = [&](const Progress&) {
      if (dice() % 2 == 0) stop.request_stop();
    };
    const auto fetched = rig->engine.fetch({wanted}, {.stop = stop.get_token(), .target = {}, .progress = progress});
    if (!fetched) EXPECT_EQ(fetched.error().code, Code::cancelled);
  }
  expect_brought(wanted);
}

void wait_to_be_killed() {
  while (true) ::pause();
}

Wanted wanted_at(std::string url, const std::string& bytes) {
  Wanted out{.key = "f", .shown = "f.gguf", .size = Bytes(bytes.size()), .digest = sha256(bytes), .locate = {}};
  out.locate = [url = std::move(url)](Why, const std::stop_token&) -> Result<Location> {
    return Location{.url = net::Url::parse(url).value(), .headers = {}};
  };
  return out;
}

// ledger: M2
TEST(KilledTransfer, asks_only_for_what_was_not_there_yet) {
  const auto folder = os::TemporaryFolder::create().value();
  const auto bytes = noise(kSize);
  ForkedChild child([&](const std::string& url, const ForkedChild::Tell& tell) {
    Rig rig(folder.path(), quick_settings({{"transfer.connections", "1"}, {"transfer.piece", "4M"}}));
    const auto fetched = rig.fetch_one(wanted_at(url, bytes), {.progress = [&](const Progress& now) {
                                         if (now.done == Bytes(3'000'000)) tell("held");
                                       }});
    tell(fetched ? "complete" : fetched.error().text());
    wait_to_be_killed();
  });
  fakes::FileServer server;
  server.serve("/f", fakes::File::of(bytes));
  server.fault({.hold_after = 3'000'000});
  child.give(server.url("/f"));
  ASSERT_EQ(child.told(), "held");
  child.kill();

  Rig rig(folder.path(), quick_settings(kOneConnection));
  const auto arrived = rig.fetch_one(wanted_at(server.url("/f"), bytes));
  ASSERT_TRUE(arrived) << arrived.error().text();
  EXPECT_TRUE(os::read_file(arrived->file, gib(1)).value() == bytes);
  EXPECT_EQ(server.body_bytes(), kSize);
}

// ledger: M2
TEST(KilledTransfer, any_number_of_kills_loses_nothing_that_was_written) {
  constexpr int kKills = 6;
  const auto folder = os::TemporaryFolder::create().value();
  const auto bytes = noise(24 << 20);
  std::vector<std::unique_ptr<ForkedChild>> children;
  for (int i = 0; i < kKills; ++i)
    children.push_back(std::make_unique<ForkedChild>([&](const std::string& url, const ForkedChild::Tell& tell) {
      Rig rig(folder.path(), quick_settings({{"transfer.bandwidth", "40MB"}, {"transfer.piece", "1M"}}));
      const auto fetched = rig.fetch_one(wanted_at(url, bytes), {.progress = [&](const Progress& now) {
                                           if (now.phase != "preparing") tell(std::to_string(now.done.count));
                                         }});
      tell(fetched ? std::to_string(bytes.size()) : fetched.error().text());
      wait_to_be_killed();
    }));
  fakes::FileServer server;
  server.serve("/f", fakes::File::of(bytes));
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < kKills; ++i) {
    children[i]->give(server.url("/f"));
    auto done = std::stoull(children[i]->told());
    EXPECT_GE(done, before) << "a kill loses nothing that was written";
    while (done < bytes.size() * (i + 1) / 10) done = std::stoull(children[i]->told());
    children[i]->kill();
    before = done;
  }
  Rig rig(folder.path(), quick_settings());
  const auto arrived = rig.fetch_one(wanted_at(server.url("/f"), bytes));
  ASSERT_TRUE(arrived) << arrived.error().text();
  EXPECT_TRUE(os::read_file(arrived->file, gib(1)).value() == bytes);
}

}  // namespace
}  // namespace puna::hub::transfer
