#include "model/library_jobs.h"

#include <fstream>

#include "base/settings.h"
#include "model/library_test.h"
#include "os/sha256.h"

namespace puna::model {
namespace {

namespace fs = std::filesystem;
using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string hash_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return os::sha256_of(std::string(std::istreambuf_iterator<char>(in), {})).value();
}

class WithJobs : public testing::Test {
 protected:
  WithJobs() {
    open();
    queue_->start().value();
  }
  void open() {
    StoreChoice choice{.stores = {"lmstudio"}, .places = {.environment = {{"HOME", folder_.path().string()}}}};
    library_.emplace(Library::open(database_, events_, folder_.path() / "models", std::move(choice)).value());
    jobs_.emplace(*library_);
    queue_.emplace(database_, events_, settings_, std::vector{jobs_->verify_spec(), jobs_->adopt_spec(), jobs_->create_spec()});
  }
  // Under the name that its content has.
  std::string add(std::string_view name) {
    write_model(folder_.path() / "new.gguf");
    const auto hash = hash_of(folder_.path() / "new.gguf");
    fs::rename(folder_.path() / "new.gguf", library_->blob_path(hash).value());
    auto model = one_file(name, 'a');
    model.files[0].sha256 = hash;
    library_->add(model).value();
    return hash;
  }
  wire::Job ended(const Result<wire::Job>& job) { return queue_->wait(job.value().id, std::chrono::seconds(20)).value(); }
  wire::Verification verify() { return json::decode<wire::Verification>(*ended(jobs_->verify(*queue_, {})).result).value(); }

  os::TemporaryFolder folder_ = os::TemporaryFolder::create().value();
  store::Database database_ = store::Database::open(":memory:").value();
  EventBus events_;
  SettingsStore settings_{{}};
  std::optional<Library> library_;
  std::optional<LibraryJobs> jobs_;
  std::optional<jobs::Queue> queue_;
};

// ledger: D14
TEST_F(WithJobs, verify_names_the_file_in_which_one_bit_turned_and_the_model_is_not_used) {
  const auto hash = add("a");
  EXPECT_THAT(verify().wrong, IsEmpty());
  const auto blob = library_->blob_path(hash).value();
  const auto time = fs::last_write_time(blob);
  std::fstream(blob, std::ios::in | std::ios::out | std::ios::binary).seekp(-1, std::ios::end).put('x');
  fs::last_write_time(blob, time);  // as a failing disk leaves it
  EXPECT_FALSE(library_->find("a")->problem);
  const auto wrong = verify().wrong;
  ASSERT_EQ(wrong.size(), 1u);
  EXPECT_EQ(wrong[0].place, blob.string());
  EXPECT_THAT(wrong[0].models, ElementsAre("a:latest"));
  EXPECT_THAT(library_->find("a")->problem.value(), HasSubstr("was damaged or changed"));
  EXPECT_FALSE(library_->holds(hash));
}

TEST_F(WithJobs, what_was_found_wrong_is_remembered_until_it_is_right) {
  const auto hash = add("a");
  library_->note_fault(hash, "its file is wrong").value();
  library_.reset();
  library_.emplace(Library::open(database_, events_, folder_.path() / "models").value());
  EXPECT_EQ(library_->find("a")->problem, "its file is wrong");
  library_->note_fault(hash, std::nullopt).value();
  EXPECT_FALSE(library_->find("a")->problem);
}

TEST_F(WithJobs, a_model_of_another_program_is_adopted_without_a_second_copy) {
  const auto theirs = folder_.path() / ".lmstudio/models/me/x";
  fs::create_directories(theirs);
  write_model(theirs / "x-Q4_0.gguf");
  EXPECT_EQ(library_->list()->size(), 1u);
  const auto job = ended(jobs_->adopt(*queue_, "me/x", "mine"));
  ASSERT_EQ(job.state, wire::JobState::completed) << job.failure->message;
  const auto mine = library_->find("mine").value();
  EXPECT_EQ(mine.store, "puna");
  EXPECT_EQ(mine.sha256, hash_of(theirs / "x-Q4_0.gguf"));
  EXPECT_TRUE(fs::exists(theirs / "x-Q4_0.gguf"));
  EXPECT_EQ(jobs_->adopt(*queue_, "mine", "again").error().code, Code::invalid_argument);
}

// ledger: T29
TEST_F(WithJobs, a_created_model_shares_its_bases_files_and_inherits_what_it_does_not_say) {
  const auto hash = add("base");
  const auto make = [&](std::string name, std::string recipe) {
    return ended(jobs_->create(*queue_, {std::move(name), std::move(recipe)}));
  };
  ASSERT_EQ(make("pirate", "FROM base\nSYSTEM Arr.\nPARAMETER top_k 5\nTEMPLATE {% if 1 %}x{% endif %}").state, wire::JobState::completed);
  ASSERT_EQ(make("cook", "FROM pirate\nSYSTEM Cook.\nPARAMETER top_p 0.5").state, wire::JobState::completed);
  const auto cook = library_->show("cook").value();
  EXPECT_EQ(cook.model.sha256, hash);
  EXPECT_EQ(cook.model.source, "created from pirate:latest");
  EXPECT_EQ(cook.recipe.system, "Cook.");
  EXPECT_EQ(json::to_text(cook.recipe.parameters), R"({"top_p":0.5,"top_k":5})");
  EXPECT_EQ(cook.chat_template, "{% if 1 %}x{% endif %}");
  library_->remove("pirate").value();
  library_->remove("base").value();
  EXPECT_FALSE(library_->find("cook")->problem);
}

TEST_F(WithJobs, a_recipe_that_cannot_be_honoured_makes_no_job) {
  add("base");
  EXPECT_EQ(jobs_->create(*queue_, {"x", "FROM base\nPARAMETER num_gpu 1"}).error().code, Code::unsupported);
  EXPECT_EQ(jobs_->create(*queue_, {"x", "FROM nobody"}).error().code, Code::not_found);
  EXPECT_EQ(jobs_->create(*queue_, {"x", "FROM ./x.gguf"}).error().code, Code::invalid_argument);
  EXPECT_EQ(jobs_->create(*queue_, {"../x", "FROM base"}).error().code, Code::invalid_argument);
  EXPECT_EQ(ended(jobs_->create(*queue_, {"x", "FROM base\nADAPTER /no/such.gguf"})).failure->code, "not_found");
}

TEST_F(WithJobs, a_model_is_created_from_a_file_with_an_adapter) {
  write_model(folder_.path() / "base.gguf");
  write_model(folder_.path() / "lora.gguf", 1, {{"general.type", std::string("adapter")}, {"adapter.type", std::string("lora")}});
  const auto job = ended(jobs_->create(*queue_, {"x", "FROM ./base.gguf\nADAPTER lora.gguf\nLICENSE MIT", {}, folder_.path().string()}));
  ASSERT_EQ(job.state, wire::JobState::completed) << job.failure->message;
  const auto made = library_->show("x").value();
  EXPECT_EQ(made.adapters.size(), 1u);
  EXPECT_EQ(made.files.size(), 3u);
  const auto wrong = ended(jobs_->create(*queue_, {"y", "FROM x\nADAPTER base.gguf", {}, folder_.path().string()}));
  EXPECT_THAT(wrong.failure->message, HasSubstr("is no adapter"));
}

TEST_F(WithJobs, what_an_earlier_try_left_is_not_taken_for_the_file) {
  const auto theirs = folder_.path() / ".lmstudio/models/me/x";
  fs::create_directories(theirs);
  write_model(theirs / "x-Q4_0.gguf");
  const auto blob = library_->blob_path(hash_of(theirs / "x-Q4_0.gguf")).value();
  std::ofstream(blob) << "half";
  EXPECT_EQ(library_->list()->size(), 1u);
  EXPECT_EQ(ended(jobs_->adopt(*queue_, "me/x", "mine")).state, wire::JobState::completed);
  EXPECT_EQ(hash_of(blob), library_->find("mine")->sha256);
}

}  // namespace
}  // namespace puna::model
