#include "model/shared_cache.h"

#include <fstream>

#include "model/library_test.h"
#include "os/file.h"

namespace puna::model {
namespace {

namespace fs = std::filesystem;
using namespace test;
using testing::ElementsAre;
using testing::IsEmpty;

const std::string kCommit(40, 'c');

class Sharing : public testing::Test {
 protected:
  Sharing() {
    StoreChoice choice{.stores = {"huggingface"}, .places = {.environment = {}, .folders = {}, .shared_hf_cache = cache()}};
    library_.emplace(Library::open(database_, events_, folder_.path() / "models", std::move(choice)).value());
  }
  fs::path cache() const { return folder_.path() / "hub"; }
  fs::path repository() const { return cache() / "models--me--x"; }
  wire::Model add(std::string_view name, char digit) {
    const auto blob = library_->blob_path(sha(digit)).value();
    if (!fs::exists(blob)) write_model(blob);
    auto model = one_file(name, digit);
    model.files[0].path = "Q4_0/x.gguf";
    model.provenance = {.catalogue = "huggingface", .repository = "me/x", .revision = "main", .commit = kCommit};
    return library_->add(model).value();
  }
  os::TemporaryFolder folder_ = os::TemporaryFolder::create().value();
  store::Database database_ = store::Database::open(":memory:").value();
  EventBus events_;
  std::optional<Library> library_;
};

TEST_F(Sharing, a_model_from_hugging_face_lies_in_its_cache_as_a_further_name) {
  add("x", 'a');
  const auto blob = repository() / "blobs" / sha('a');
  EXPECT_TRUE(fs::equivalent(blob, library_->blob_path(sha('a')).value()));
  const auto link = repository() / "snapshots" / kCommit / "Q4_0/x.gguf";
  EXPECT_EQ(fs::read_symlink(link), "../../../blobs/" + sha('a'));
  EXPECT_TRUE(fs::equivalent(link, blob));
  EXPECT_EQ(os::read_file(repository() / "refs/main", kib(1)).value(), kCommit);
  EXPECT_TRUE(fs::exists(cache() / "CACHEDIR.TAG"));
  EXPECT_EQ(library_->list()->size(), 1u);  // not a second time as the cache's
}

TEST_F(Sharing, the_bytes_come_back_with_the_librarys_last_name) {
  const auto size = add("x", 'a').size;
  const auto removal = library_->remove("x", {.undo = std::chrono::hours(1)}).value();
  EXPECT_EQ(removal.freed_bytes, size);
  EXPECT_EQ(library_->remove("x")->freed_bytes, size);
  EXPECT_FALSE(fs::exists(repository()));
  EXPECT_TRUE(fs::exists(cache()));
}

TEST_F(Sharing, what_others_put_there_stays) {
  fs::create_directories(repository() / "blobs");
  write_model(repository() / "blobs" / sha('a'));
  add("x", 'a');
  EXPECT_FALSE(fs::equivalent(repository() / "blobs" / sha('a'), library_->blob_path(sha('a')).value()));
  library_->remove("x").value();
  EXPECT_TRUE(fs::exists(repository() / "blobs" / sha('a')));
}

// ledger: D3
TEST_F(Sharing, no_name_of_upstream_leaves_the_cache) {
  write_model(library_->blob_path(sha('a')).value());
  auto model = one_file("x", 'a');
  model.files[0].path = "../../../evil.gguf";
  model.provenance = {.catalogue = "huggingface", .repository = "../me", .revision = "../../main", .commit = kCommit};
  EXPECT_TRUE(library_->add(model));  // it is in the library all the same
  model.provenance.repository = "me/x";
  EXPECT_TRUE(library_->add(model));
  EXPECT_FALSE(fs::exists(folder_.path() / "evil.gguf"));
  EXPECT_FALSE(fs::exists(cache() / "evil.gguf"));
}

TEST(SharedCacheFolder, is_hugging_faces_own_unless_puna_has_a_home_of_its_own) {
  EXPECT_EQ(shared_cache_folder({{"HOME", "/h"}}), "/h/.cache/huggingface/hub");
  EXPECT_EQ(shared_cache_folder({{"HOME", "/h"}, {"PUNA_HOME", "/p"}}), "/p/huggingface/hub");
  EXPECT_EQ(shared_cache_folder({{"HOME", "/h"}, {"PUNA_HOME", "/p"}, {"HF_HOME", "/f"}}), "/f/hub");
  EXPECT_EQ(shared_cache_folder({{"HF_HOME", "/f"}, {"HF_HUB_CACHE", "/c"}}), "/c");
  EXPECT_TRUE(shared_cache_folder({{"HOME", "relative"}}).empty());
}

}  // namespace
}  // namespace puna::model
