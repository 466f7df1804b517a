// What a repository holds, and what becomes of it while it is fetched.
#include <fstream>

#include "hub_testing.h"

namespace puna::hub {
namespace {

using namespace testing_rig;
using fakes::Content;
using fakes::FileSpec;
using fakes::Role;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ContentRules : public HubTest {
 protected:
  void offer_files(std::vector<FileSpec> files) {
    fakes::RepositorySpec spec;
    spec.id = kRepository;
    for (const auto& file : files) offered += file.content->size();
    spec.files = std::move(files);
    ASSERT_TRUE(hub->add(spec));
  }
};

TEST_F(ContentRules, a_branch_that_moves_on_the_way_cannot_mix_two_versions) {
  offer();
  const auto old = hub->content(std::string(kRepository), std::string(kModelFile))->sha256();
  const auto job = half_way(model);
  ASSERT_TRUE(hub->commit(std::string(kRepository), {fakes::file(std::string(kModelFile), model_file(2'000'000, 2))}));
  hub->clear_faults();
  hub->expire_links();
  hub->break_connections(Role::storage);
  const auto ended = rig->ended(job);
  ASSERT_EQ(ended.state, wire::JobState::completed);
  EXPECT_EQ(json::decode<PullResult>(*ended.result)->sha256, old);
}

// ledger: M8
TEST_F(ContentRules, an_update_brings_the_new_version_and_keeps_the_choice) {
  offer_files({fakes::file("tiny.Q4_K_M.gguf", model_file(200'000, 1)), fakes::file("tiny.Q8_0.gguf", model_file(300'000, 2))});
  arrives(model);
  const auto newer = model_file(200'000, 3);
  ASSERT_TRUE(hub->commit(std::string(kRepository), {fakes::file("tiny.Q4_K_M.gguf", newer)}));
  const auto again = rig->pulled({.source = model});
  EXPECT_EQ(again.change, PullChange::replaced);
  EXPECT_EQ(again.sha256, newer->sha256());
}

TEST_F(ContentRules, a_second_pull_of_the_same_fetches_nothing) {
  offer();
  arrives(model);
  hub->forget_requests();
  EXPECT_EQ(rig->pulled({.source = model}).change, PullChange::unchanged);
  EXPECT_EQ(hub->bytes_sent(), 0U);
}

TEST_F(ContentRules, another_file_of_the_same_size_between_two_runs_starts_afresh) {
  offer();
  const auto job = half_way(model);
  ASSERT_TRUE(rig->queue->cancel(job.id));
  EXPECT_EQ(rig->ended(job).state, wire::JobState::cancelled);
  hub->clear_faults();
  hub->break_connections(Role::storage);
  const auto newer = model_file(2'000'000, 9);
  ASSERT_TRUE(hub->commit(std::string(kRepository), {fakes::file(std::string(kModelFile), newer)}));
  EXPECT_EQ(rig->pulled({.source = model}).sha256, newer->sha256());
}

TEST_F(ContentRules, bytes_that_stay_wrong_are_refused_and_never_get_a_name) {
  offer();
  ASSERT_TRUE(hub->swap(std::string(kRepository), std::string(kModelFile), model_file(2'000'000, 5)));
  EXPECT_EQ(refused(model).code, "corrupt_data");
  EXPECT_THAT(rig->blobs(), IsEmpty());
  EXPECT_LE(hub->bytes_sent(), 3 * offered);
}

TEST_F(ContentRules, a_file_that_shrank_upstream_is_refused) {
  offer();
  ASSERT_TRUE(hub->swap(std::string(kRepository), std::string(kModelFile), model_file(1'500'000, 1)));
  EXPECT_NE(refused(model).code, "");
  EXPECT_THAT(rig->blobs(), IsEmpty());
}

TEST_F(ContentRules, the_pointer_of_git_lfs_is_not_the_file) {
  offer();
  ASSERT_TRUE(hub->swap(std::string(kRepository), std::string(kModelFile),
                        Content::of("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 2000000\n")));
  EXPECT_NE(refused(model).code, "");
  EXPECT_THAT(rig->blobs(), IsEmpty());
}

TEST_F(ContentRules, a_tree_of_many_pages_is_read_to_its_end) {
  std::vector<FileSpec> files;
  for (int i = 0; i < 2500; ++i) files.push_back(fakes::file(fmt::format("notes/{:04}.txt", i), std::to_string(i)));
  files.push_back(fakes::file("zoo.Q4_K_M.gguf", model_file(200'000)));
  offer_files(std::move(files));
  EXPECT_EQ(arrives(model).change, PullChange::added);
  EXPECT_EQ(asked(Role::hub, "/tree/"), 3U);
}

TEST_F(ContentRules, a_page_of_the_tree_that_fails_once_is_asked_for_again) {
  std::vector<FileSpec> files;
  for (int i = 0; i < 1200; ++i) files.push_back(fakes::file(fmt::format("notes/{:04}.txt", i), std::to_string(i)));
  files.push_back(fakes::file("zoo.Q4_K_M.gguf", model_file(200'000)));
  offer_files(std::move(files));
  hub->fault({.path = "*/tree/*", .skip = 1, .status = 502});
  EXPECT_EQ(arrives(model).change, PullChange::added);
  EXPECT_EQ(hits(), 1U);
}

TEST_F(ContentRules, a_set_of_parts_that_lacks_one_is_refused_before_anything_is_fetched) {
  offer_files({fakes::file("m-Q4_K_M-00001-of-00003.gguf", model_file(100'000, 1)),
               fakes::file("m-Q4_K_M-00002-of-00003.gguf", model_file(100'000, 2))});
  EXPECT_THAT(refused(model).message, HasSubstr("number 3"));
  EXPECT_EQ(hub->bytes_sent(), 0U);
}

TEST_F(ContentRules, an_unknown_quantization_names_those_there_are) {
  offer_files({fakes::file("tiny.Q4_K_M.gguf", model_file(100'000, 1)), fakes::file("tiny.Q8_0.gguf", model_file(100'000, 2))});
  EXPECT_THAT(refused("ada/tiny-GGUF:IQ2_XXS").message, testing::AllOf(HasSubstr("Q4_K_M"), HasSubstr("Q8_0")));
}

class OddName : public ContentRules, public testing::WithParamInterface<std::pair<std::string, std::string>> {};

TEST_P(OddName, a_file_arrives_whose_name_has) {
  offer_files({fakes::file(GetParam().second, model_file(100'000))});
  EXPECT_EQ(arrives(model).change, PullChange::added);
}
INSTANTIATE_TEST_SUITE_P(Names, OddName,
                         testing::Values(std::pair("spaces", "a b c-Q4_K_M.gguf"), std::pair("a_hash", "a#b-Q4_K_M.gguf"),
                                         std::pair("a_percent_sign", "100%25-Q4_K_M.gguf"), std::pair("a_plus", "a+b-Q4_K_M.gguf"),
                                         std::pair("composed_letters", "caf\u00e9-Q4_K_M.gguf"),
                                         std::pair("decomposed_letters", "cafe\u0301-Q4_K_M.gguf"),
                                         std::pair("folders", "deep/er/m-Q4_K_M.gguf")),
                         [](const auto& info) { return info.param.first; });

class HostileName : public ContentRules, public testing::WithParamInterface<std::pair<std::string, std::string>> {};

TEST_P(HostileName, nothing_is_written_for_a_name_with) {
  offer_files({fakes::file(GetParam().second, model_file(100'000, 1)), fakes::file("good-Q4_K_M.gguf", model_file(100'000, 2))});
  EXPECT_EQ(arrives(model).sha256, hub->content(std::string(kRepository), "good-Q4_K_M.gguf")->sha256());
  EXPECT_FALSE(std::filesystem::exists(folder.path().parent_path() / "x-Q4_K_M.gguf"));
  EXPECT_EQ(asked(Role::hub, "x-Q4_K_M"), 0U);
}
INSTANTIATE_TEST_SUITE_P(Names, HostileName,
                         testing::Values(std::pair("a_step_up", "../x-Q4_K_M.gguf"), std::pair("a_step_up_inside", "a/../../x-Q4_K_M.gguf"),
                                         std::pair("a_root", "/etc/x-Q4_K_M.gguf"), std::pair("a_drive", "C:\\x-Q4_K_M.gguf"),
                                         std::pair("a_question_mark", "x-Q4_K_M?.gguf"),
                                         std::pair("a_final_dot", "x-Q4_K_M./x-Q4_K_M.gguf"),
                                         std::pair("a_reserved_word", "CON/x-Q4_K_M.gguf"), std::pair("a_line_break", "x-Q4_K_M\n.gguf")),
                         [](const auto& info) { return info.param.first; });

TEST_F(ContentRules, names_that_differ_in_case_alone_are_two_files_of_which_one_must_be_named) {
  const auto upper = model_file(100'000, 1);
  const auto lower = model_file(100'000, 2);
  offer_files({fakes::file("Tiny.Q4_K_M.gguf", upper), fakes::file("tiny.q4_k_m.gguf", lower)});
  EXPECT_THAT(refused(model).message, testing::AllOf(HasSubstr("Tiny.Q4_K_M.gguf"), HasSubstr("tiny.q4_k_m.gguf")));
  EXPECT_EQ(arrives("ada/tiny-GGUF:tiny.q4_k_m.gguf").sha256, lower->sha256());
}

TEST_F(ContentRules, unsafe_names_alone_are_not_called_an_empty_repository) {
  offer_files({fakes::file("../x-Q4_K_M.gguf", model_file(100'000))});
  EXPECT_THAT(refused(model).message, HasSubstr("1 of its files have names that are not safe"));
}

TEST_F(ContentRules, a_file_with_a_name_of_255_bytes_arrives_under_a_name_of_ones_own) {
  offer_files({fakes::file(std::string(255 - 12, 'n') + "-Q4_K_M.gguf", model_file(100'000))});
  EXPECT_EQ(start().pulled({.source = model, .name = "mine"}).name, "mine:latest");
}

TEST_F(ContentRules, more_than_the_disk_holds_pauses_the_job_before_the_first_byte) {
  FileSpec huge = fakes::file(std::string(kModelFile), Content::generated(1ULL << 50, 1));
  huge.sha256 = std::string(64, 'a');
  fakes::RepositorySpec spec;
  spec.id = kRepository;
  spec.files = {huge};
  ASSERT_TRUE(hub->add(spec));
  start();
  const auto job = rig->submit({.source = model});
  rig->await([&](const wire::Job& now) { return now.id == job.id && now.failure.has_value(); });
  const auto now = rig->queue->get(job.id);
  EXPECT_EQ(now->state, wire::JobState::paused);
  EXPECT_EQ(now->failure->code, "disk_full");
  EXPECT_EQ(hub->bytes_sent(), 0U);
}

// ledger: D14
TEST_F(ContentRules, a_file_that_a_verification_finds_damaged_is_brought_again) {
  offer();
  start();
  const auto arrived = rig->pulled({.source = model});
  const std::filesystem::path place = rig->library.show(arrived.name)->path;
  std::fstream(place, std::ios::in | std::ios::out).seekp(1'000'000).put('?');
  EXPECT_EQ(rig->ended(rig->library_jobs.verify(*rig->queue, {}).value()).state, wire::JobState::completed);
  EXPECT_TRUE(rig->library.find(arrived.name)->problem);
  rig->pulled({.source = model});
  EXPECT_FALSE(rig->library.find(arrived.name)->problem);
  EXPECT_EQ(fakes::Content::on_disk(place).value()->sha256(), arrived.sha256);
}

}  // namespace
}  // namespace puna::hub
