#include <thread>

#include "model/library_test.h"

namespace puna::model {
namespace {

namespace fs = std::filesystem;
using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr RemoveOptions kUndoable{.undo = std::chrono::hours(1)};

// ledger: D11
TEST(Removal, is_undone_within_its_time_without_fetching_a_byte) {
  Rig rig;
  const auto added = rig.add("Smol:135m", 'a');
  const auto removal = rig.library->remove("smol:135m", kUndoable).value();
  EXPECT_EQ(removal.freed_bytes, added.size);
  EXPECT_TRUE(removal.until);
  EXPECT_THAT(rig.names(), IsEmpty());
  EXPECT_TRUE(fs::exists(rig.blob('a')));
  EXPECT_TRUE(rig.library->holds(sha('a')));
  EXPECT_EQ(json::encode(rig.library->undo("smol:135m").value()), json::encode(added));
  EXPECT_THAT(rig.names(), ElementsAre("Smol:135m"));
  EXPECT_EQ(rig.library->undo(std::nullopt).error().code, Code::not_found);
}

TEST(Removal, can_be_undone_after_a_restart) {
  Rig rig;
  rig.add("a", 'a');
  rig.library->remove("a", kUndoable).value();
  rig.reopen();
  EXPECT_TRUE(fs::exists(rig.blob('a')));
  EXPECT_EQ(rig.library->undo(std::nullopt)->name, "a:latest");
  EXPECT_FALSE(rig.library->find("a")->problem);
}

TEST(Removal, gives_the_bytes_back_when_its_time_is_over) {
  Rig rig;
  rig.add("a", 'a');
  rig.library->remove("a", {.undo = Milliseconds(1)}).value();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (fs::exists(rig.blob('a')) && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_FALSE(fs::exists(rig.blob('a')));
  EXPECT_EQ(rig.library->undo("a").error().code, Code::not_found);
}

TEST(Removal, whose_time_ended_while_no_daemon_ran_is_finished_at_the_next_start) {
  Rig rig;
  rig.add("a", 'a');
  rig.library->remove("a", kUndoable).value();
  rig.library.reset();
  rig.database.write([](store::Transaction& tx) { return tx.execute("UPDATE models SET expires_at = 0"); }).value();
  rig.reopen();
  EXPECT_THAT(rig.names(), IsEmpty());  // waits for the watcher
  EXPECT_FALSE(fs::exists(rig.blob('a')));
}

TEST(Removal, repeated_gives_the_bytes_back_at_once) {
  Rig rig;
  const auto size = rig.add("a", 'a').size;
  rig.library->remove("a", kUndoable).value();
  EXPECT_EQ(rig.library->usage()->removed.at(0).bytes, size);
  EXPECT_EQ(rig.library->remove("a")->freed_bytes, size);
  EXPECT_FALSE(fs::exists(rig.blob('a')));
  EXPECT_EQ(rig.library->remove("a").error().code, Code::not_found);
}

TEST(Removal, is_not_undone_over_a_new_model_of_that_name) {
  Rig rig;
  rig.add("a", 'a');
  rig.library->remove("a", kUndoable).value();
  rig.add("a", 'b');
  EXPECT_EQ(rig.library->undo("a").error().code, Code::already_exists);
}

TEST(Removal, of_a_pinned_model_needs_force) {
  Rig rig;
  rig.add("a", 'a');
  EXPECT_TRUE(rig.library->pin("a", true)->pinned);
  rig.reopen();
  EXPECT_EQ(rig.library->remove("a").error().code, Code::conflict);
  EXPECT_TRUE(rig.library->find("a")->pinned);
  EXPECT_TRUE(rig.library->remove("a", {.force = true}));
}

TEST(Alias, follows_its_model_to_other_files) {
  Rig rig;
  rig.add("model:q4", 'a');
  EXPECT_EQ(rig.library->alias("m", "model:q4")->alias_of, "model:q4");
  EXPECT_EQ(rig.library->find("m")->name, "model:q4");
  rig.add("model:q4", 'b');
  EXPECT_EQ(rig.library->find("m")->sha256, sha('b'));
  rig.reopen();
  EXPECT_THAT(rig.names(), ElementsAre("m:latest", "model:q4"));
  EXPECT_EQ(rig.library->alias("model:q4", "m").error().code, Code::already_exists);
}

TEST(Alias, is_removed_alone_and_sleeps_while_its_model_is_gone) {
  Rig rig;
  rig.add("model", 'a');
  rig.library->alias("m", "model").value();
  EXPECT_EQ(rig.library->remove("m")->freed_bytes, 0);
  EXPECT_THAT(rig.names(), ElementsAre("model:latest"));
  rig.library->alias("m", "model").value();
  rig.library->remove("model", kUndoable).value();
  EXPECT_THAT(rig.names(), IsEmpty());
  rig.library->undo(std::nullopt).value();
  EXPECT_EQ(rig.library->find("m")->name, "model:latest");
}

TEST(Usage, counts_shared_bytes_once_and_names_duplicates) {
  Rig rig;
  const auto size = rig.add("a", 'a').size;
  rig.library->copy("a", "b").value();
  const auto usage = rig.library->usage().value();
  EXPECT_EQ(usage.own_bytes, size);
  EXPECT_EQ(usage.models.size(), 2u);
  EXPECT_EQ(usage.models.at(0).shared_bytes, size);
  EXPECT_THAT(usage.duplicates, IsEmpty());
  EXPECT_GT(usage.available_bytes, 0);
}

}  // namespace
}  // namespace puna::model
