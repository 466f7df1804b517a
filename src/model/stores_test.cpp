// Models in other programs' folders, each laid out as its owner does it.
#include <fstream>

#include "model/library_test.h"
#include "model/stores/spec.h"

namespace puna::model {
namespace {

namespace fs = std::filesystem;
using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class InPlace : public testing::Test {
 protected:
  fs::path home() const { return folder_.path(); }
  // As the next start of the daemon does.
  void open(std::vector<std::string> stores = {"huggingface", "ollama", "lmstudio", "llama.cpp", "folder"}) {
    library_.reset();
    StoreChoice choice{.stores = std::move(stores), .places = {.environment = {{"HOME", home().string()}}, .folders = folders_}};
    library_.emplace(Library::open(database_, events_, home() / "puna" / "models", std::move(choice)).value());
  }
  std::vector<std::string> names() {
    std::vector<std::string> out;
    for (const auto& model : library_->list().value()) out.push_back(model.name);
    return out;
  }
  fs::path file(const fs::path& path, std::string_view text) const {
    fs::create_directories((home() / path).parent_path());
    std::ofstream(home() / path) << text;
    return home() / path;
  }
  fs::path weights(const fs::path& path, std::uint32_t context = 2048, const std::map<std::string, gguf::Value>& more = {}) const {
    fs::create_directories((home() / path).parent_path());
    write_model(home() / path, context, more);
    return home() / path;
  }
  fs::path link(const fs::path& path, const fs::path& target) const {
    fs::create_directories((home() / path).parent_path());
    fs::create_symlink(target, home() / path);
    return home() / path;
  }
  static fs::path hub(std::string_view repository) { return fs::path(".cache/huggingface/hub") / ("models--" + std::string(repository)); }
  // One file as huggingface_hub stores it.
  void hub_file(std::string_view repository, std::string_view commit, std::string_view path, char digit) const {
    weights(hub(repository) / "blobs" / sha(digit));
    link(hub(repository) / "snapshots" / commit / path, fs::path("../../blobs") / sha(digit));
  }
  void ollama_model(std::string_view path, const std::vector<std::pair<std::string, char>>& layers) const {
    json::array list;
    for (const auto& [kind, digit] : layers)
      list.push_back({{"mediaType", "application/vnd.ollama.image." + kind}, {"digest", "sha256:" + sha(digit)}, {"size", 1}});
    file(fs::path(".ollama/models/manifests") / path, json::to_text(json::object{{"schemaVersion", 2}, {"layers", list}}));
  }
  static fs::path ollama_blob(char digit) { return fs::path(".ollama/models/blobs") / ("sha256-" + sha(digit)); }

  os::TemporaryFolder folder_ = os::TemporaryFolder::create().value();
  std::vector<std::string> folders_;
  store::Database database_ = store::Database::open(":memory:").value();
  EventBus events_;
  std::optional<Library> library_;
};

// ledger: M17
TEST_F(InPlace, the_hugging_face_cache_is_read_by_repository_and_quantization) {
  hub_file("me--SmolLM-GGUF", "c1", "smollm-Q4_K_M.gguf", 'a');
  hub_file("me--SmolLM-GGUF", "c1", "smollm-Q8_0.gguf", 'b');
  file(hub("me--SmolLM-GGUF") / "refs/main", "c1");
  open();
  EXPECT_THAT(names(), ElementsAre("me/SmolLM-GGUF:Q4_K_M", "me/SmolLM-GGUF:Q8_0"));
  const auto detail = library_->show("me/SmolLM-GGUF:Q4_K_M").value();
  EXPECT_EQ(detail.model.store, "huggingface");
  EXPECT_EQ(detail.model.sha256, sha('a'));
  EXPECT_EQ(detail.model.provenance.commit, "c1");
  EXPECT_EQ(detail.path, (home() / hub("me--SmolLM-GGUF") / "snapshots/c1/smollm-Q4_K_M.gguf").string());
  EXPECT_EQ(detail.metadata.at("llama.context_length"), json::value(2048));
}

TEST_F(InPlace, a_newer_snapshot_goes_before_an_older_one) {
  hub_file("me--x", "old", "x-Q4_0.gguf", 'a');
  hub_file("me--x", "new", "x-Q4_0.gguf", 'b');
  file(hub("me--x") / "refs/main", "new\n");
  open();
  EXPECT_EQ(library_->find("me/x:Q4_0")->sha256, sha('b'));
  EXPECT_EQ(names().size(), 1u);
}

TEST_F(InPlace, parts_and_projector_of_a_repository_are_one_model) {
  for (const int part : {0, 1}) {
    const auto blob = sha(static_cast<char>('a' + part));
    weights(hub("me--big") / "blobs" / blob, 2048,
            {{"split.no", std::uint16_t(part)}, {"split.count", std::uint16_t{2}}, {"split.tensors.count", std::int32_t{2}}});
    link(hub("me--big") / fmt::format("snapshots/c/Q4_0/big-Q4_0-0000{}-of-00002.gguf", part + 1), fs::path("../../../blobs") / blob);
  }
  weights(hub("me--big") / "blobs" / sha('c'), 2048, {{"general.type", std::string("mmproj")}});
  link(hub("me--big") / "snapshots/c/mmproj-f16.gguf", fs::path("../../blobs") / sha('c'));
  open();
  EXPECT_THAT(names(), ElementsAre("me/big:Q4_0"));
  const auto detail = library_->show("me/big").value();
  EXPECT_EQ(detail.files.size(), 3u);
  EXPECT_THAT(detail.path, testing::EndsWith("big-Q4_0-00001-of-00002.gguf"));
  EXPECT_THAT(detail.projector.value(), testing::EndsWith("mmproj-f16.gguf"));
  EXPECT_THAT(detail.model.details.capabilities, testing::Contains("vision"));
}

TEST_F(InPlace, what_its_owner_is_still_bringing_is_no_model_yet) {
  file(hub("me--x") / "blobs/abc.1234.incomplete", "half");
  hub_file("me--x", "c", "x-Q4_0-00001-of-00002.gguf", 'a');
  file(".ollama/models/blobs/sha256-" + sha('b') + "-partial", "half");
  file(".lmstudio/models/me/y/y.gguf.part", "half");
  open();
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_EQ(library_->usage()->partials.size(), 3u);
}

TEST_F(InPlace, ollamas_store_is_read_with_the_names_that_ollama_shows) {
  weights(ollama_blob('a'));
  file(ollama_blob('b'), "You are terse.");
  file(ollama_blob('c'), R"({"temperature":0.5,"stop":["<end>"],"num_thread":3})");
  file(ollama_blob('d'), "{{ .Prompt }}");
  ollama_model("registry.ollama.ai/library/llama3.2/3b", {{"model", 'a'}, {"system", 'b'}, {"params", 'c'}, {"template", 'd'}});
  ollama_model("registry.ollama.ai/me/own/latest", {{"model", 'a'}});
  ollama_model("hf.co/owner/repo-GGUF/Q4_0", {{"model", 'a'}});
  open();
  EXPECT_THAT(names(), UnorderedElementsAre("llama3.2:3b", "me/own:latest", "hf.co/owner/repo-GGUF:Q4_0"));
  const auto detail = library_->show("llama3.2").value();
  EXPECT_EQ(detail.path, (home() / ollama_blob('a')).string());
  EXPECT_EQ(detail.recipe.system, "You are terse.");
  EXPECT_EQ(json::to_text(detail.recipe.parameters), R"({"temperature":0.5,"stop":["<end>"]})");
  EXPECT_FALSE(detail.recipe.chat_template);
}

TEST_F(InPlace, lm_studio_llama_cpp_and_folders_of_the_user_are_read) {
  weights(".lmstudio/models/bartowski/Smol-GGUF/Smol-Q4_K_M.gguf");
  weights(".cache/llama.cpp/ggml-org_tiny_tiny-q8_0.gguf");
  weights("mine/deep/er/my-model-F16.gguf");
  folders_ = {"~/mine"};
  open();
  EXPECT_THAT(names(), ElementsAre("bartowski/Smol-GGUF:Q4_K_M", "ggml-org_tiny_tiny:Q8_0", "my-model:F16"));
  open({"lmstudio"});
  EXPECT_THAT(names(), ElementsAre("bartowski/Smol-GGUF:Q4_K_M"));
}

// ledger: D3
TEST_F(InPlace, a_link_that_leaves_the_store_is_not_followed) {
  weights("secret/other.gguf");
  link(hub("me--x") / "snapshots/c/x-Q4_0.gguf", home() / "secret/other.gguf");
  link(".lmstudio/models/me/y/y-Q4_0.gguf", "/etc/passwd");
  link(".lmstudio/models/me/loop", home() / ".lmstudio");
  open();
  for (const auto& model : library_->list().value()) EXPECT_THAT(model.problem.value(), HasSubstr("leaves"));
  EXPECT_THAT(names(), UnorderedElementsAre("me/x:Q4_0", "me/y:Q4_0"));
  EXPECT_TRUE(library_->show("me/y")->metadata.empty());
}

TEST_F(InPlace, what_is_broken_is_shown_with_its_problem) {
  link(hub("me--x") / "snapshots/c/x-Q4_0.gguf", "../../blobs/gone");
  file(".lmstudio/models/me/y/y-Q4_0.gguf", "<html>not found</html>");
  fs::resize_file(weights(".lmstudio/models/me/cut/cut-Q4_0.gguf"), 250);
  ollama_model("registry.ollama.ai/library/z/latest", {{"model", 'f'}});
  file(".ollama/models/manifests/registry.ollama.ai/library/w/latest", "{");
  open();
  EXPECT_THAT(library_->find("me/x")->problem.value(), HasSubstr("link to nothing"));
  EXPECT_TRUE(library_->find("me/y")->problem);
  EXPECT_THAT(library_->find("me/cut")->problem.value(), HasSubstr("it was cut off"));
  EXPECT_THAT(library_->find("z")->problem.value(), HasSubstr("is missing"));
  EXPECT_THAT(library_->find("w")->problem.value(), HasSubstr("malformed"));
}

TEST_F(InPlace, of_models_that_are_called_alike_the_first_store_has_the_name) {
  hub_file("me--x", "c", "x-Q4_0.gguf", 'a');
  weights(".lmstudio/models/me/x/x-Q4_0.gguf", 1024);
  open();
  EXPECT_THAT(names(), ElementsAre("me/x:Q4_0", "me/x:Q4_0-lmstudio"));
  EXPECT_EQ(library_->find("me/x:q4_0")->store, "huggingface");
  write_model(library_->blob_path(sha('f')).value());
  library_->add(one_file("me/x:Q4_0", 'f')).value();
  EXPECT_THAT(names(), ElementsAre("me/x:Q4_0", "me/x:Q4_0-huggingface", "me/x:Q4_0-lmstudio"));
  EXPECT_EQ(library_->find("me/x:q4_0")->store, "puna");
  library_->remove("me/x:Q4_0").value();
  EXPECT_THAT(names(), ElementsAre("me/x:Q4_0", "me/x:Q4_0-lmstudio"));
}

// ledger: T23
TEST_F(InPlace, what_comes_and_goes_is_seen_at_once_and_told) {
  fs::create_directories(home() / ".lmstudio/models");
  open();
  EXPECT_THAT(names(), IsEmpty());
  weights(".lmstudio/models/me/x/x-Q4_0.gguf");
  EXPECT_THAT(names(), ElementsAre("me/x:Q4_0"));
  hub_file("me--z", "c", "z-Q4_0.gguf", 'a');  // the cache itself is new
  EXPECT_THAT(names(), ElementsAre("me/x:Q4_0", "me/z:Q4_0"));
  fs::remove_all(home() / ".lmstudio/models/me");
  EXPECT_THAT(names(), ElementsAre("me/z:Q4_0"));
  std::vector<std::string> types;
  for (const auto& event : events_.since(0).events) types.push_back(event->type);
  EXPECT_THAT(types, ElementsAre("model.added", "model.added", "model.removed"));
}

TEST_F(InPlace, a_model_of_another_program_is_never_changed) {
  const auto place = weights(ollama_blob('a'));
  ollama_model("registry.ollama.ai/library/x/latest", {{"model", 'a'}});
  open();
  const auto refused = library_->remove("x").error();
  EXPECT_EQ(refused.code, Code::permission_denied);
  EXPECT_THAT(refused.message, HasSubstr("belongs to Ollama"));
  EXPECT_THAT(refused.message, HasSubstr("ollama rm NAME"));
  EXPECT_EQ(library_->copy("x", "y").error().code, Code::permission_denied);
  EXPECT_TRUE(fs::exists(place));
}

TEST_F(InPlace, a_file_that_is_the_librarys_own_is_not_listed_twice) {
  open();
  write_model(library_->blob_path(sha('a')).value());
  library_->add(one_file("own", 'a')).value();
  fs::create_directories(home() / hub("me--x") / "blobs");
  fs::create_hard_link(library_->blob_path(sha('a')).value(), home() / hub("me--x") / "blobs" / sha('a'));
  link(hub("me--x") / "snapshots/c/x-Q4_0.gguf", fs::path("../../blobs") / sha('a'));
  EXPECT_THAT(names(), ElementsAre("own:latest"));
}

// ledger: M10
TEST_F(InPlace, a_file_that_did_not_change_is_not_opened_again) {
  weights(".lmstudio/models/me/x/x-Q4_0.gguf");
  const StoreChoice choice{.stores = {"lmstudio"}, .places = {.environment = {{"HOME", home().string()}}}};
  const auto watch = [](const fs::path&) {};
  StoreReader first(database_);
  EXPECT_EQ(first.look(choice, {}, watch, {})->models.size(), 1u);
  EXPECT_EQ(first.headers_read(), 1u);
  StoreReader second(database_);
  EXPECT_EQ(second.look(choice, {}, watch, {})->models.at(0).details.context_length, 2048);
  EXPECT_EQ(second.headers_read(), 0u);
  weights(".lmstudio/models/me/x/x-Q4_0.gguf", 4096);
  EXPECT_EQ(second.look(choice, {}, watch, {})->models.at(0).details.context_length, 4096);
}

TEST(StoreRegistry, each_store_says_who_owns_it_and_how_a_model_is_removed_there) {
  std::set<std::string_view> keys;
  for (const auto& store : stores()) {
    EXPECT_TRUE(keys.insert(store.key).second) << store.key;
    EXPECT_FALSE(store.owner.empty() || store.removal.empty()) << store.key;
    EXPECT_EQ(find_store(store.key), &store);
    EXPECT_TRUE(store.roots({}).empty() || store.key == "ollama") << store.key;
  }
}

}  // namespace
}  // namespace puna::model
