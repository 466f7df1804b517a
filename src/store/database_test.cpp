#include "store/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <barrier>
#include <fstream>
#include <thread>

#include "base/id.h"

namespace puna::store {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr std::array<std::string_view, 2> kFirst = {
    "CREATE TABLE box (id {identity}, name TEXT UNIQUE, weight DOUBLE PRECISION, content {blob})",
    "CREATE TABLE lid (box BIGINT NOT NULL REFERENCES box (id))"};
constexpr std::array<std::string_view, 1> kSecond = {"ALTER TABLE box ADD COLUMN colour TEXT"};
constexpr std::array<std::string_view, 2> kBroken = {"CREATE TABLE fine (x TEXT)", "CREATE TABLE wrong wrong"};
constexpr std::array kV1 = {Migration{1, "first", kFirst}};
constexpr std::array kV2 = {Migration{1, "first", kFirst}, Migration{2, "second", kSecond}};
constexpr std::array kV2Broken = {Migration{1, "first", kFirst}, Migration{2, "broken", kBroken}};

class DatabaseFile : public testing::Test {
 protected:
  DatabaseFile() : folder_(fs::temp_directory_path() / new_ulid()), file_(folder_ / "puna.db") { fs::create_directory(folder_); }
  ~DatabaseFile() override { fs::remove_all(folder_); }

  Result<Database> open(std::span<const Migration> steps = kV1) { return Database::open(file_, {.migrations = steps}); }
  static Result<> add_box(Database& database, std::string_view name) {
    return database.write([&](Transaction& tx) -> Result<> {
      PUNA_CHECK(tx.execute("INSERT INTO box (name) VALUES (:name)", {{"name", name}}));
      return {};
    });
  }
  static std::int64_t boxes(Database& database) {
    return database.read([](Reader& reader) { return reader.query_value<std::int64_t>("SELECT count(*) FROM box"); }).value();
  }
  std::string bytes() const {
    std::ifstream stream(file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  fs::path folder_;
  fs::path file_;
};

struct Box {
  std::int64_t id = 0;
  std::optional<std::string> name;
  std::optional<double> weight;
  std::optional<Blob> content;
};
BOOST_DESCRIBE_STRUCT(Box, (), (id, name, weight, content))

TEST_F(DatabaseFile, every_kind_of_value_comes_back_exactly) {
  auto database = open().value();
  const std::string text("with \0 'quotes' and ünïcode", 28);
  const Blob blob{std::string("\0\1\xff\0", 4)};
  const std::int64_t large = (std::int64_t{1} << 53) + 1;
  database
      .write([&](Transaction& tx) {
        return tx.execute("INSERT INTO box (id, name, weight, content) VALUES (:id, :name, :weight, :content)",
                          {{"id", large}, {"name", text}, {"weight", 0.1 + 0.2}, {"content", blob}});
      })
      .value();
  const auto box = database.read([](Reader& reader) { return reader.find_as<Box>("SELECT * FROM box"); }).value();
  EXPECT_EQ(box->id, large);
  EXPECT_EQ(box->name, text);
  EXPECT_EQ(box->weight, 0.1 + 0.2);
  EXPECT_EQ(box->content, blob);
}

TEST_F(DatabaseFile, computed_numbers_keep_every_bit) {
  auto database = open().value();
  const auto real = database.read([](Reader& r) { return r.query_value<double>("SELECT :a + :b", {{"a", 0.1}, {"b", 0.2}}); });
  EXPECT_EQ(real.value(), 0.1 + 0.2);
  const auto large = database.read([](Reader& r) { return r.query_value<std::int64_t>("SELECT :a * 3", {{"a", std::int64_t{1} << 40}}); });
  EXPECT_EQ(large.value(), 3 * (std::int64_t{1} << 40));
}

TEST_F(DatabaseFile, nothing_and_empty_are_different) {
  auto database = open().value();
  database
      .write([&](Transaction& tx) {
        return tx.execute("INSERT INTO box (name, weight, content) VALUES (:n, :w, :c)", {{"n", ""}, {"w", std::nullopt}, {"c", Blob{}}});
      })
      .value();
  const auto box = database.read([](Reader& reader) { return reader.find_as<Box>("SELECT * FROM box"); }).value();
  EXPECT_EQ(box->name, "");
  EXPECT_EQ(box->weight, std::nullopt);
  EXPECT_EQ(box->content, Blob{});
}

TEST_F(DatabaseFile, a_statement_is_reused_with_values_of_other_types) {
  auto database = open().value();
  const auto kind_of = [&](auto value) {
    return database
        .read([&](Reader& r) -> Result<std::string> {
          PUNA_TRY(auto rows, r.query("SELECT :v AS v", {{"v", value}}));
          PUNA_TRY(auto cell, rows.at(0).template get<Value>("v"));
          return std::string(kind_name(cell));
        })
        .value();
  };
  EXPECT_EQ(kind_of(1), "an integer");
  EXPECT_EQ(kind_of("text"), "text");
  EXPECT_EQ(kind_of(nullptr), "nothing");
  EXPECT_EQ(kind_of(Blob{"x"}), "bytes");
  EXPECT_EQ(kind_of(1.5), "a number");
}

TEST_F(DatabaseFile, a_placeholder_without_value_and_a_value_without_placeholder_are_refused) {
  auto database = open().value();
  const auto missing = database.read([](Reader& r) { return r.query("SELECT :a"); });
  EXPECT_THAT(missing.error().text(), HasSubstr("no value for ':a'"));
  const auto extra = database.read([](Reader& r) { return r.query("SELECT 1", {{"b", 1}}); });
  EXPECT_EQ(extra.error().code, Code::internal);
}

// ledger: F10
TEST_F(DatabaseFile, a_transaction_that_fails_leaves_no_trace) {
  auto database = open().value();
  const auto outcome = database.write([](Transaction& tx) -> Result<> {
    PUNA_CHECK(tx.execute("INSERT INTO box (name) VALUES ('a')"));
    return fail(Code::cancelled, "changed my mind");
  });
  EXPECT_EQ(outcome.error().code, Code::cancelled);
  EXPECT_EQ(boxes(database), 0);
}

TEST_F(DatabaseFile, a_second_row_under_a_unique_key_already_exists_and_a_dangling_reference_conflicts) {
  auto database = open().value();
  add_box(database, "a").value();
  EXPECT_EQ(add_box(database, "a").error().code, Code::already_exists);
  const auto dangling = database.write([](Transaction& tx) { return tx.execute("INSERT INTO lid (box) VALUES (99)"); });
  EXPECT_EQ(dangling.error().code, Code::conflict);
}

TEST_F(DatabaseFile, errors_never_quote_the_values) {
  auto database = open().value();
  add_box(database, "hunter2").value();
  EXPECT_THAT(add_box(database, "hunter2").error().text(), testing::Not(HasSubstr("hunter2")));
}

TEST_F(DatabaseFile, a_reader_cannot_write) {
  auto database = open().value();
  const auto outcome = database.read([](Reader& reader) { return reader.query("INSERT INTO box (name) VALUES ('a')"); });
  EXPECT_FALSE(outcome);
  EXPECT_EQ(boxes(database), 0);
}

TEST_F(DatabaseFile, use_of_the_database_from_inside_its_own_transaction_fails_instead_of_waiting) {
  auto database = open().value();
  const auto outcome = database.write([&](Transaction&) { return add_box(database, "inner"); });
  EXPECT_EQ(outcome.error().code, Code::internal);
  add_box(database, "after").value();
}

// ledger: F10
TEST_F(DatabaseFile, a_reader_sees_one_snapshot_while_others_commit) {
  auto database = open().value();
  database
      .read([&](Reader& reader) -> Result<> {
        EXPECT_EQ(reader.query_value<int>("SELECT count(*) FROM box").value(), 0);
        std::jthread([&] { add_box(database, "meanwhile").value(); }).join();
        EXPECT_EQ(reader.query_value<int>("SELECT count(*) FROM box").value(), 0);
        return {};
      })
      .value();
  EXPECT_EQ(boxes(database), 1);
}

TEST_F(DatabaseFile, a_wait_for_the_writer_ends_with_a_clear_error) {
  auto database = Database::open(file_, {.patience = Milliseconds(20), .migrations = kV1}).value();
  const auto outer = database.write([&](Transaction&) -> Result<> {
    Result<> inner;
    std::jthread([&] { inner = add_box(database, "late"); }).join();
    return inner;
  });
  EXPECT_EQ(outer.error().code, Code::unavailable);
  EXPECT_THAT(outer.error().text(), HasSubstr("no writer became free within 20 ms"));
}

TEST_F(DatabaseFile, the_file_and_its_journal_are_private) {
  auto database = open().value();
  add_box(database, "a").value();
  for (const auto* suffix : {"", "-wal"}) {
    struct stat status{};
    ASSERT_EQ(::stat((file_.string() + suffix).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u) << suffix;
  }
}

// ledger: F10
TEST_F(DatabaseFile, an_older_database_is_migrated_after_a_backup_was_made) {
  {
    auto database = open(kV1).value();
    add_box(database, "old").value();
  }
  auto database = open(kV2).value();
  EXPECT_EQ(database.version(), 2);
  EXPECT_EQ(boxes(database), 1);
  auto backup = Database::open(file_.string() + ".v1.backup", {.migrations = kV1}).value();
  EXPECT_EQ(boxes(backup), 1);
}

TEST_F(DatabaseFile, a_migration_that_fails_changes_nothing_and_says_which_one) {
  {
    auto database = open(kV1).value();
    add_box(database, "old").value();
  }
  EXPECT_THAT(open(kV2Broken).error().text(), HasSubstr("migration 2 (broken)"));
  auto database = open(kV1).value();
  EXPECT_EQ(boxes(database), 1);
  EXPECT_FALSE(database.read([](Reader& reader) { return reader.query("SELECT * FROM fine"); }));
}

// ledger: F10
TEST_F(DatabaseFile, a_database_of_a_newer_program_is_refused_and_named_with_both_versions) {
  ASSERT_TRUE(open(kV2));
  const auto before = bytes();
  const auto failure = open(kV1).error();
  EXPECT_EQ(failure.code, Code::conflict);
  EXPECT_THAT(failure.text(), HasSubstr("version 2, and this program knows versions up to 1"));
  EXPECT_EQ(bytes(), before);
}

TEST_F(DatabaseFile, a_file_that_is_no_database_is_named_and_left_untouched) {
  std::ofstream(file_) << std::string(5000, 'x');
  const auto before = bytes();
  const auto failure = open().error();
  EXPECT_EQ(failure.code, Code::corrupt_data);
  EXPECT_THAT(failure.text(), HasSubstr(file_.string()));
  EXPECT_EQ(bytes(), before);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(DatabaseFile, a_database_of_another_program_is_refused) {
  ASSERT_TRUE(open());
  {
    auto database = open().value();
    database.write([](Transaction& tx) { return tx.query("PRAGMA application_id = 7"); }).value();
  }
  EXPECT_THAT(open().error().text(), HasSubstr("another program"));
}

TEST_F(DatabaseFile, damage_inside_is_found_by_check) {
  {
    auto database = open().value();
    for (int i = 0; i < 200; ++i) add_box(database, std::string(100, 'a') + std::to_string(i)).value();
  }
  std::fstream(file_, std::ios::in | std::ios::out | std::ios::binary).seekp(4096 * 4) << std::string(8192, '\x5a');
  auto database = open().value();
  EXPECT_EQ(database.check().error().code, Code::corrupt_data);
}

TEST_F(DatabaseFile, a_full_disk_is_told_apart_and_the_database_stays_whole) {
  auto database = open().value();
  const auto outcome = database.write([](Transaction& tx) -> Result<> {
    PUNA_CHECK(tx.query("PRAGMA max_page_count = 20"));
    PUNA_CHECK(tx.execute("INSERT INTO box (content) VALUES (:c)", {{"c", Blob{std::string(200'000, 'x')}}}));
    return {};
  });
  EXPECT_EQ(outcome.error().code, Code::disk_full);
  EXPECT_EQ(boxes(database), 0);
  EXPECT_TRUE(database.check());
  add_box(database, "small").value();
}

TEST_F(DatabaseFile, a_path_with_spaces_and_equals_signs_works) {
  file_ = folder_ / "a=b c=d.db";
  auto database = open().value();
  add_box(database, "a").value();
  EXPECT_TRUE(fs::exists(file_));
}

TEST_F(DatabaseFile, a_copy_is_complete_and_never_overwrites) {
  auto database = open().value();
  add_box(database, "a").value();
  database.copy_to(folder_ / "copy.db").value();
  auto copy = Database::open(folder_ / "copy.db", {.migrations = kV1}).value();
  EXPECT_EQ(boxes(copy), 1);
  EXPECT_EQ(database.copy_to(folder_ / "copy.db").error().code, Code::already_exists);
}

TEST(MemoryDatabase, is_shared_by_all_threads_and_ends_with_its_object) {
  auto database = Database::open(":memory:").value();
  const auto tables = [](Reader& reader) { return reader.query_value<int>("SELECT count(*) FROM jobs"); };
  std::jthread([&] { EXPECT_EQ(database.read(tables).value(), 0); }).join();
  EXPECT_FALSE(fs::exists(":memory:"));
}

// ledger: T15
TEST_F(DatabaseFile, many_threads_write_and_read_and_lose_nothing) {
  auto database = open().value();
  constexpr int kThreads = 8, kEach = 25;
  std::barrier start(kThreads);
  std::atomic<int> backward{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t)
      threads.emplace_back([&, t] {
        start.arrive_and_wait();
        std::int64_t seen = 0;
        for (int i = 0; i < kEach; ++i) {
          add_box(database, std::to_string(t) + "/" + std::to_string(i)).value();
          const auto now = boxes(database);
          if (now <= seen) ++backward;
          seen = now;
        }
      });
  }
  EXPECT_EQ(boxes(database), kThreads * kEach);
  EXPECT_EQ(backward, 0);
}

// ledger: F10
TEST(Migrations, are_numbered_from_one_without_gaps_and_named) {
  int expected = 0;
  for (const auto& migration : migrations()) {
    EXPECT_EQ(migration.version, ++expected);
    EXPECT_FALSE(migration.name.empty());
    EXPECT_FALSE(migration.statements.empty());
  }
  EXPECT_GT(expected, 0);
}

}  // namespace
}  // namespace puna::store
