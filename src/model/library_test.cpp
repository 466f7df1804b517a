#include "model/library_test.h"

#include <sys/stat.h>

#include <barrier>
#include <fstream>
#include <thread>

#include "model/file_stamp.h"

namespace puna::model {
namespace {

namespace fs = std::filesystem;
using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Library, an_added_model_is_listed_found_and_told) {
  Rig rig;
  const auto added = rig.add("SmolLM2:135m", 'a', 8192);
  EXPECT_EQ(added.name, "SmolLM2:135m");
  EXPECT_EQ(added.details.context_length, 8192);
  EXPECT_EQ(added.size, static_cast<std::int64_t>(fs::file_size(rig.blob('a'))));
  EXPECT_EQ(rig.library->find("smollm2:135M")->sha256, sha('a'));
  EXPECT_THAT(rig.names(), ElementsAre("SmolLM2:135m"));
  EXPECT_THAT(rig.told(), ElementsAre("model.added SmolLM2:135m"));
}

TEST(Library, survives_a_restart) {
  Rig rig;
  const auto added = rig.add("a", 'a');
  rig.reopen();
  const auto found = rig.library->find("a").value();
  EXPECT_EQ(json::encode(found), json::encode(added));
}

TEST(Library, a_name_without_tag_is_the_latest_or_the_only_one) {
  Rig rig;
  rig.add("one:q4_1", 'a');
  EXPECT_EQ(rig.library->find("one")->name, "one:q4_1");
  rig.add("one:q8_0", 'b');
  EXPECT_THAT(rig.library->find("one").error().message, HasSubstr("did you mean one:q4_1, one:q8_0?"));
  rig.add("one", 'c');
  EXPECT_EQ(rig.library->find("one")->name, "one:latest");
}

TEST(Library, an_unknown_name_is_not_found_and_the_nearest_are_named) {
  Rig rig;
  EXPECT_THAT(rig.library->find("x").error().message, HasSubstr("the library is empty"));
  rig.add("smollm2:135m", 'a');
  rig.add("qwen:0.5b", 'b');
  for (const auto* typed : {"smolm2:135m", "smollm2:135", "smolm2"}) {
    const auto failure = rig.library->find(typed).error();
    EXPECT_EQ(failure.code, Code::not_found);
    EXPECT_THAT(failure.message, HasSubstr("did you mean smollm2:135m?")) << typed;
  }
}

TEST(Library, finds_a_model_by_the_repository_that_it_was_pulled_from) {
  Rig rig;
  const auto pulled = [&](std::string name, char digit, std::string filter) {
    write_model(rig.blob(digit));
    NewModel model = one_file(name, digit);
    model.provenance = {.catalogue = "huggingface", .repository = "Owner/Repo-GGUF", .filter = std::move(filter)};
    rig.library->add(model).value();
  };
  pulled("repo:q4", 'a', "Q4_K_M");
  EXPECT_EQ(rig.library->find("owner/repo-gguf")->name, "repo:q4");
  pulled("repo:q8", 'b', "Q8_0");
  EXPECT_EQ(rig.library->find("Owner/Repo-GGUF:q8_0")->name, "repo:q8");
  EXPECT_EQ(rig.library->find("Owner/Repo-GGUF").error().code, Code::not_found) << "which of the two is not said";
  EXPECT_EQ(rig.library->find("Owner/Repo-GGUF:Q2_K").error().code, Code::not_found);
}

TEST(Library, a_copy_is_a_second_name_for_the_same_file) {
  Rig rig;
  rig.add("a", 'a');
  EXPECT_EQ(rig.library->copy("a", "b:1")->sha256, sha('a'));
  EXPECT_EQ(rig.library->copy("a", "b:1")->name, "b:1");
  rig.add("c", 'c');
  EXPECT_EQ(rig.library->copy("a", "c").error().code, Code::already_exists);
  EXPECT_EQ(rig.library->copy("nope", "d").error().code, Code::not_found);
  EXPECT_EQ(rig.library->copy("a", "../d").error().code, Code::invalid_argument);
}

// ledger: F10
TEST(Library, the_file_goes_with_its_last_name_and_the_bytes_are_told) {
  Rig rig;
  const auto size = rig.add("a", 'a').size;
  rig.library->copy("a", "b").value();
  const auto first = rig.library->remove("a").value();
  EXPECT_EQ(first.freed_bytes, 0);
  EXPECT_THAT(first.remaining_names, ElementsAre("b:latest"));
  EXPECT_TRUE(fs::exists(rig.blob('a')));
  EXPECT_EQ(rig.library->remove("b")->freed_bytes, size);
  EXPECT_FALSE(fs::exists(rig.blob('a')));
  EXPECT_TRUE(rig.names().empty());
}

TEST(Library, a_file_that_has_another_link_frees_nothing) {
  Rig rig;
  rig.add("a", 'a');
  fs::create_hard_link(rig.blob('a'), rig.folder.path() / "mine.gguf");
  EXPECT_EQ(rig.library->remove("a")->freed_bytes, 0);
  EXPECT_TRUE(fs::exists(rig.folder.path() / "mine.gguf"));
}

TEST(Library, a_name_that_is_added_again_moves_to_the_new_file_and_the_old_one_goes) {
  Rig rig;
  const auto before = rig.add("a", 'a', 1024);
  const auto after = rig.add("a", 'b', 4096);
  EXPECT_EQ(after.details.context_length, 4096);
  EXPECT_FALSE(fs::exists(rig.blob('a')));
  EXPECT_THAT(rig.told(), ElementsAre("model.added a:latest", "model.updated a:latest"));
}

TEST(Library, what_is_no_model_is_not_added) {
  Rig rig;
  std::ofstream(rig.blob('a')) << "this is no model";
  EXPECT_EQ(rig.library->add(one_file("a", 'a')).error().code, Code::corrupt_data);
  EXPECT_EQ(rig.library->add(one_file("a", 'b')).error().code, Code::not_found);
  EXPECT_EQ(rig.library->add({.name = "a", .files = {{.path = "a.gguf", .sha256 = "../../etc/passwd"}}, .provenance = {}}).error().code,
            Code::invalid_argument);
  EXPECT_TRUE(rig.names().empty());
}

TEST(Library, a_missing_file_is_shown_with_its_problem_and_heals_when_it_is_back) {
  Rig rig;
  rig.add("a", 'a');
  fs::rename(rig.blob('a'), rig.folder.path() / "away");
  EXPECT_THAT(rig.library->find("a")->problem.value(), HasSubstr("is missing"));
  EXPECT_FALSE(rig.library->holds(sha('a')));
  EXPECT_EQ(rig.told().back(), "model.updated a:latest");
  fs::rename(rig.folder.path() / "away", rig.blob('a'));
  EXPECT_FALSE(rig.library->find("a")->problem);
  EXPECT_TRUE(rig.library->holds(sha('a')));
}

TEST(Library, a_file_that_went_missing_while_no_daemon_ran_is_shown_and_can_be_removed) {
  Rig rig;
  rig.add("a", 'a');
  fs::remove(rig.blob('a'));
  rig.reopen();
  EXPECT_TRUE(rig.library->list()->at(0).problem);
  EXPECT_EQ(rig.library->remove("a")->freed_bytes, 0);
}

TEST(Library, a_file_that_was_cut_is_shown_with_both_sizes) {
  Rig rig;
  const auto size = rig.add("a", 'a').size;
  fs::resize_file(rig.blob('a'), 100);
  EXPECT_THAT(rig.library->find("a")->problem.value(), HasSubstr(fmt::format("has 100 bytes and had {}", size)));
}

// ledger: M10
TEST(Library, what_is_known_of_a_file_is_read_anew_when_its_time_changed) {
  Rig rig;
  rig.add("a", 'a', 1024);
  write_model(rig.blob('a'), 4096);  // the same size
  fs::last_write_time(rig.blob('a'), fs::file_time_type::clock::now() + std::chrono::hours(1));
  const auto revision = rig.library->revision();
  EXPECT_EQ(rig.library->find("a")->details.context_length, 4096);
  EXPECT_GT(rig.library->revision(), revision);
  const auto told = rig.told().size();
  EXPECT_EQ(rig.library->list()->at(0).details.context_length, 4096);
  EXPECT_EQ(rig.told().size(), told);
}

TEST(Library, details_that_an_older_program_stored_are_read_anew) {
  Rig rig;
  rig.add("a", 'a', 1024);
  rig.database.write([](store::Transaction& tx) { return tx.execute("UPDATE models SET details = '{\"old\":1}', description = 0"); })
      .value();
  rig.reopen();
  EXPECT_EQ(rig.library->find("a")->details.context_length, 1024);
}

TEST(Library, a_removal_that_a_crash_cut_short_is_finished_at_the_next_start) {
  Rig rig;
  rig.add("a", 'a');
  rig.database.write([](store::Transaction& tx) { return tx.execute("DELETE FROM model_parts"); }).value();
  rig.database.write([](store::Transaction& tx) { return tx.execute("DELETE FROM models"); }).value();
  rig.reopen();
  EXPECT_FALSE(fs::exists(rig.blob('a')));
  EXPECT_FALSE(rig.library->holds(sha('a')));
}

TEST(Library, credentials_in_a_source_are_masked) {
  Rig rig;
  write_model(rig.blob('a'));
  const auto added = rig.library->add(one_file("a", 'a', "https://me:hunter2@host/a.gguf")).value();
  EXPECT_THAT(added.source, testing::Not(HasSubstr("hunter2")));
}

TEST(Library, shows_the_header_with_long_arrays_shortened) {
  Rig rig;
  write_model(rig.blob('a'), 2048,
              {{"tokenizer.chat_template", std::string("{{ messages }}")}, {"tokenizer.ggml.tokens", std::vector<std::string>(1000, "x")}});
  rig.library->add(one_file("a", 'a')).value();
  const auto shown = rig.library->show("a").value();
  EXPECT_EQ(shown.path, rig.blob('a').string());
  EXPECT_EQ(shown.chat_template, "{{ messages }}");
  EXPECT_EQ(shown.metadata.at("llama.context_length"), json::value(2048));
  EXPECT_EQ(shown.metadata.at("tokenizer.ggml.tokens").at("length"), json::value(1000));
  EXPECT_FALSE(shown.metadata.contains("tokenizer.chat_template"));
}

// ledger: M10
TEST(Library, ten_thousand_models_are_listed_in_order) {
  Rig rig;
  constexpr int kModels = 10'000;
  write_model(rig.blob('a'));
  struct stat status{};
  ASSERT_EQ(::stat(rig.blob('a').c_str(), &status), 0);
  rig.add("first", 'a');
  rig.database
      .write([&](store::Transaction& tx) -> Result<> {
        for (int i = 0; i < kModels; ++i) {
          const auto hash = fmt::format("{:064x}", i);
          fs::create_hard_link(rig.blob('a'), rig.library->blob_path(hash).value());
          const auto name = fmt::format("model-{:05}:latest", i);
          PUNA_CHECK(tx.execute("INSERT INTO blobs SELECT :sha256, size, modified_ns, fault, added_at FROM blobs WHERE sha256 = :from",
                                {{"sha256", hash}, {"from", sha('a')}}));
          PUNA_CHECK(
              tx.execute("INSERT INTO models SELECT :key, :name, catalogue, repository, revision, commit_id, filter, url, recipe, "
                         "details, description, pinned, created_at, modified_at, expires_at FROM models WHERE name_key = 'first:latest'",
                         {{"key", name}, {"name", name}}));
          PUNA_CHECK(
              tx.execute("INSERT INTO model_parts VALUES (:key, 0, 'weights', 'model.gguf', :sha256)", {{"key", name}, {"sha256", hash}}));
        }
        return {};
      })
      .value();
  rig.reopen();
  const auto begun = std::chrono::steady_clock::now();
  const auto models = rig.library->list().value();
  RecordProperty("milliseconds",
                 std::to_string(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count()));
  ASSERT_EQ(models.size(), kModels + 1u);
  EXPECT_EQ(*rig.library->list_text().value(), json::to_text(json::encode(wire::ModelList{models})));
  EXPECT_TRUE(std::ranges::is_sorted(models, {}, &wire::Model::name));
}

// What the program of before migration 003 wrote.
TEST(Library, models_of_an_older_database_are_carried_over) {
  const auto folder = os::TemporaryFolder::create().value();
  const auto file = folder.path() / "puna.db";
  fs::create_directories(folder.path() / "models/blobs");
  write_model(folder.path() / "models/blobs" / ("sha256-" + sha('a')), 4096);
  const auto stamp = look_at(folder.path() / "models/blobs" / ("sha256-" + sha('a'))).value().value();
  {
    auto old = store::Database::open(file, {.migrations = store::migrations().first(2)}).value();
    old.write([&](store::Transaction& tx) -> Result<> {
         PUNA_CHECK(
             tx.execute("INSERT INTO model_files VALUES (:sha256, :size, :modified_ns, :details, 1, 1000)",
                        {{"sha256", sha('a')}, {"size", stamp.size}, {"modified_ns", stamp.modified_ns}, {"details", "{\"old\":1}"}}));
         for (const auto* row :
              {"'a:latest', 'A:latest', :sha256, '/from/a.gguf', 1000, 2000", "'b:1', 'b:1', :sha256, 'https://x/b', 1000, 2000"})
           PUNA_CHECK(tx.execute(fmt::format("INSERT INTO models VALUES ({})", row), {{"sha256", sha('a')}}));
         return {};
       })
        .value();
  }
  auto database = store::Database::open(file).value();
  EventBus events;
  auto library = Library::open(database, events, folder.path() / "models").value();
  const auto models = library.list().value();
  ASSERT_EQ(models.size(), 2u);
  EXPECT_EQ(models[0].name, "A:latest");
  EXPECT_EQ(models[0].details.context_length, 4096);
  EXPECT_EQ(models[0].provenance.catalogue, "file");
  EXPECT_EQ(models[1].source, "https://x/b");
  EXPECT_EQ(models[1].provenance.catalogue, "url");
  EXPECT_EQ(library.remove("b:1")->remaining_names, std::vector<std::string>{"A:latest"});
}

// ledger: T15
TEST(Library, many_threads_add_copy_list_and_remove_and_no_file_is_left) {
  Rig rig;
  constexpr int kThreads = 6;
  for (int t = 0; t < kThreads; ++t) write_model(rig.blob(static_cast<char>('a' + t)));
  std::barrier start(kThreads);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t)
      threads.emplace_back([&, t] {
        const char digit = static_cast<char>('a' + t);
        const auto name = fmt::format("model-{}", t);
        start.arrive_and_wait();
        for (int i = 0; i < 10; ++i) {
          write_model(rig.blob(digit));
          EXPECT_TRUE(rig.library->add(one_file(name, digit)));
          EXPECT_TRUE(rig.library->copy(name, name + ":copy"));
          EXPECT_TRUE(rig.library->list());
          EXPECT_TRUE(rig.library->remove(name + ":latest"));
          EXPECT_TRUE(rig.library->remove(name + ":copy"));
        }
      });
  }
  EXPECT_TRUE(rig.names().empty());
  EXPECT_TRUE(fs::is_empty(rig.blob('a').parent_path()));
}

}  // namespace
}  // namespace puna::model
