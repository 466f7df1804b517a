#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>

#include "base/id.h"
#include "store/database.h"

namespace puna::store {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 1> kTable = {
    "CREATE TABLE entry (writer BIGINT NOT NULL, number BIGINT NOT NULL, filler TEXT NOT NULL)"};
constexpr std::array kSteps = {Migration{1, "entries", kTable}};

struct Acknowledged {
  std::int64_t writer;
  std::int64_t number;
};

// Two rows a transaction, so that half a transaction would show; tells each commit through the pipe once it was acknowledged.
void commit_for_ever(const fs::path& file, std::int64_t writer, int acknowledge) {
  auto database = Database::open(file, {.migrations = kSteps});
  for (std::int64_t number = 0; database; ++number) {
    const auto done = database->write([&](Transaction& tx) -> Result<> {
      for (int half = 0; half < 2; ++half)
        PUNA_CHECK(tx.execute("INSERT INTO entry (writer, number, filler) VALUES (:writer, :number, :filler)",
                              {{"writer", writer}, {"number", number}, {"filler", std::string(500, 'x')}}));
      return {};
    });
    const Acknowledged message{writer, number};
    if (!done || ::write(acknowledge, &message, sizeof message) != sizeof message) break;
  }
  ::_exit(1);
}

class KilledWriter : public testing::Test {
 protected:
  KilledWriter() : folder_(fs::temp_directory_path() / new_ulid()), file_(folder_ / "puna.db") {
    fs::create_directory(folder_);
    EXPECT_EQ(::pipe2(pipe_, O_CLOEXEC), 0);
  }
  ~KilledWriter() override {
    ::close(pipe_[0]);
    ::close(pipe_[1]);
    fs::remove_all(folder_);
  }
  pid_t start(std::int64_t writer) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      commit_for_ever(file_, writer, pipe_[1]);
    }
    return child;
  }
  // Blocks until some writer has acknowledged a commit.
  Acknowledged next() {
    Acknowledged message{};
    EXPECT_EQ(::read(pipe_[0], &message, sizeof message), static_cast<ssize_t>(sizeof message));
    last_[message.writer] = message.number;
    return message;
  }
  static void kill_hard(pid_t child) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  void drain() {
    ::fcntl(pipe_[0], F_SETFL, O_NONBLOCK);
    Acknowledged message{};
    while (::read(pipe_[0], &message, sizeof message) == sizeof message) last_[message.writer] = message.number;
    ::fcntl(pipe_[0], F_SETFL, 0);
  }
  void expect_nothing_lost() {
    auto database = Database::open(file_, {.migrations = kSteps}).value();
    EXPECT_TRUE(database.check());
    for (const auto& [writer, number] : last_) {
      const auto count = database.read([&](Reader& reader) {
        return reader.query_value<std::int64_t>("SELECT count(*) FROM entry WHERE writer = :writer AND number <= :number",
                                                {{"writer", writer}, {"number", number}});
      });
      EXPECT_EQ(count.value(), 2 * (number + 1)) << "writer " << writer;
    }
    const auto halves =
        database.read([](Reader& reader) { return reader.query("SELECT writer FROM entry GROUP BY writer, number HAVING count(*) <> 2"); });
    EXPECT_TRUE(halves.value().empty());
  }
  fs::path folder_;
  fs::path file_;
  int pipe_[2] = {-1, -1};
  std::map<std::int64_t, std::int64_t> last_;
};

// ledger: F10
TEST_F(KilledWriter, loses_no_acknowledged_commit_and_leaves_no_half_one) {
  std::minstd_rand random(std::random_device{}());
  for (std::int64_t round = 0; round < 25; ++round) {
    const pid_t child = start(round);
    for (auto commits = 1 + random() % 6; commits > 0; --commits) next();
    for (volatile unsigned spin = random() % 2'000'000; spin > 0; spin = spin - 1) continue;  // any instant of a commit
    kill_hard(child);
    drain();
    expect_nothing_lost();
  }
}

// ledger: V6
TEST_F(KilledWriter, two_processes_that_write_at_once_lose_nothing) {
  ASSERT_TRUE(Database::open(file_, {.migrations = kSteps}));
  const pid_t one = start(1), two = start(2);
  while (!(last_.contains(1) && last_.contains(2) && last_[1] + last_[2] > 60)) next();
  kill_hard(one);
  kill_hard(two);
  drain();
  expect_nothing_lost();
}

}  // namespace
}  // namespace puna::store
