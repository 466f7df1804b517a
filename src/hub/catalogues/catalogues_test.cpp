// Searching, looking and planning, against the hub double. What pulls do with all this stands in tests/hub/.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/hub/hub.h"
#include "hub/catalogues/token.h"
#include "hub/catalogues/web.h"
#include "hub/pull_testing.h"
#include "net/on_network.h"
#include "os/file.h"

namespace puna::hub {
namespace {

using fakes::Role;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing_rig::model_bytes;
using testing_rig::Rig;

class HubCatalogues : public testing::Test {
 protected:
  HubCatalogues() : world(fakes::Hub::start().value()) {}

  fakes::RepositorySpec repository(std::string id, std::vector<fakes::FileSpec> files) {
    fakes::RepositorySpec out;
    out.id = std::move(id);
    out.files = std::move(files);
    out.tags = std::vector<std::string>{"gguf", "license:apache-2.0"};
    out.downloads = 1000;
    out.likes = 7;
    out.last_modified = "2026-10-02T03:04:05Z";
    return out;
  }
  void offer(const std::string& id, std::vector<fakes::FileSpec> files = {fakes::file("m-Q4_K_M.gguf", model_bytes(8))}) {
    ASSERT_TRUE(world->add(repository(id, std::move(files))));
  }
  Rig& start(std::map<std::string, std::string> more = {}) {
    more.insert({{"hub.endpoints", world->origin()},
                 {"hub.ollama_registry", world->origin(Role::registry)},
                 {"hub.modelscope_endpoint", world->origin(Role::modelscope)},
                 {"hub.token_file", (folder.path() / "token").string()}});
    rig.reset();
    rig = std::make_unique<Rig>(folder.path(), testing_rig::quick_settings(std::move(more)));
    return *rig;
  }

  Result<wire::HubPage> search(SearchQuery query, std::string catalogue = "huggingface") {
    return net::on_network<wire::HubPage>(rig->io, "test", [&] { return rig->hub.search(catalogue, query); }, {});
  }
  Result<wire::HubModel> show(std::string_view source, Hub::Card card = Hub::Card::leave) {
    return net::on_network<wire::HubModel>(rig->io, "test", [&] { return rig->hub.show(parse_reference(source).value(), card); }, {});
  }
  Result<wire::PullPlan> plan(const wire::PullRequest& request) {
    return net::on_network<wire::PullPlan>(rig->io, "test", [&] { return rig->pulls.plan(request); }, {});
  }
  wire::OutdatedModel upstream_of_only_model() {
    auto list = net::on_network<wire::OutdatedList>(rig->io, "test", [&] { return rig->pulls.outdated({}); }, {});
    EXPECT_TRUE(list) << list.error().text();
    return list && !list->models.empty() ? list->models.front() : wire::OutdatedModel{};
  }
  static std::vector<std::string> names(const wire::HubPage& page) {
    std::vector<std::string> out;
    for (const auto& model : page.models) out.push_back(model.repository);
    return out;
  }

  os::TemporaryFolder folder = os::TemporaryFolder::create().value();
  std::unique_ptr<fakes::Hub> world;
  std::unique_ptr<Rig> rig;
};

// ledger: M17
TEST_F(HubCatalogues, a_search_says_what_people_choose_by) {
  offer("ada/tiny-GGUF");
  offer("bob/other-GGUF");
  start();
  const auto page = search({.text = "tiny"});
  ASSERT_TRUE(page) << page.error().text();
  ASSERT_THAT(names(*page), ElementsAre("ada/tiny-GGUF"));
  const auto& hit = page->models.front();
  EXPECT_EQ(hit.source, "ada/tiny-GGUF");
  EXPECT_EQ(hit.downloads, 1000);
  EXPECT_EQ(hit.likes, 7);
  EXPECT_EQ(hit.licence, "apache-2.0");
  EXPECT_EQ(hit.updated_at, "2026-10-02T03:04:05.000Z");
}

TEST_F(HubCatalogues, pages_follow_each_other_by_their_cursor) {
  for (const auto* id : {"ada/a-GGUF", "ada/b-GGUF", "ada/c-GGUF"}) offer(id);
  start();
  const auto first = search({.text = "gguf", .limit = 2});
  ASSERT_TRUE(first && first->next);
  const auto second = search({.text = "gguf", .limit = 2, .cursor = first->next});
  ASSERT_TRUE(second) << second.error().text();
  EXPECT_THAT(names(*second), ElementsAre("ada/c-GGUF"));
  EXPECT_EQ(second->next, std::nullopt);
}

TEST_F(HubCatalogues, a_cursor_that_leads_to_another_host_is_not_followed) {
  offer("ada/a-GGUF");
  fakes::HubFault elsewhere;
  elsewhere.path = "/api/models*";
  elsewhere.headers = {{"Link", "<" + world->origin(Role::foreign) + "/api/models?cursor=x>; rel=\"next\""}};
  world->fault(elsewhere);
  start();
  EXPECT_THAT(search({.text = "a"}).error().message, HasSubstr("somewhere else: not followed"));
  EXPECT_EQ(world->count([](const fakes::Served& served) { return served.role == Role::foreign; }), 0U);
}

// ledger: D10
TEST_F(HubCatalogues, a_search_that_is_too_long_is_refused_and_not_run) {
  start({{"hub.longest_search", "10"}});
  EXPECT_EQ(search({.text = std::string(11, 'x')}).error().code, Code::too_large);
  EXPECT_EQ(search({.text = "a\x1b[2J"}).error().code, Code::invalid_argument);
  EXPECT_THAT(world->requests(), IsEmpty());
}

// ledger: M17 T3
TEST_F(HubCatalogues, a_failure_never_looks_like_no_results) {
  start();
  const auto failing = [&](auto change) {
    fakes::HubFault fault;
    fault.times = 0;
    change(fault);
    world->clear_faults();
    world->fault(fault);
    const auto page = search({.text = "x"});
    return page ? std::string("no results") : std::string(to_string(page.error().code)) + " " + page.error().message;
  };
  EXPECT_THAT(failing([](auto& fault) { fault.status = 503; }), AllOf(HasSubstr("upstream_failed"), HasSubstr("fault of its own")));
  EXPECT_THAT(failing([](auto& fault) { fault.login_page = true; }), HasSubstr("a web page instead of data"));
  EXPECT_THAT(failing([](auto& fault) { fault.body = "[{"; }), HasSubstr("is not what it should be"));
  EXPECT_THAT(failing([](auto& fault) { fault.body = "{}"; }), HasSubstr("no list of models"));
  world->clear_faults();
  EXPECT_THAT(search({.text = "x"})->models, IsEmpty());
  world->shut(Role::hub);
  EXPECT_EQ(search({.text = "x"}).error().code, Code::unavailable);
}

// ledger: T3
TEST_F(HubCatalogues, too_many_questions_are_told_with_the_wait_and_what_raises_the_limit) {
  fakes::HubFault limited;
  limited.times = 0;
  limited.status = 429;
  limited.headers = std::map<std::string, std::string>{{"RateLimit", "\"api\";r=0;t=55"}};
  world->fault(limited);
  start();
  const auto page = search({.text = "x"});
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code, Code::overloaded);
  EXPECT_EQ(page.error().retry_after, Seconds(56));
  EXPECT_THAT(page.error().message, HasSubstr("an access token (hub.token) raises the limit"));
}

// ledger: T12
TEST_F(HubCatalogues, offline_is_said_before_anything_is_asked) {
  start({{"hub.endpoints", "https://hub.invalid"}});
  rig->http.configure({.proxy = "", .offline = true});
  const auto page = search({.text = "x"});
  EXPECT_EQ(page.error().code, Code::unavailable);
  EXPECT_THAT(page.error().message, HasSubstr("offline mode is on"));
}

TEST_F(HubCatalogues, a_mirror_answers_for_a_hub_that_does_not) {
  offer("ada/tiny-GGUF");
  world->shut(Role::hub);
  start({{"hub.endpoints", world->origin() + "," + world->origin(Role::mirror)}, {"hub.token", "hf_secret"}});
  ASSERT_TRUE(search({.text = "tiny"}));
  for (const auto& served : world->requests()) EXPECT_EQ(served.authorization, "") << "tokens are for the first endpoint alone";
}

// ledger: M17
TEST_F(HubCatalogues, a_repository_shows_its_quantizations_sizes_and_fit) {
  offer("ada/tiny-GGUF",
        {fakes::file("README.md", "# Tiny"), fakes::file("m-Q4_K_M.gguf", model_bytes(8)), fakes::file("m-Q8_0.gguf", model_bytes(16))});
  start();
  const auto model = show("ada/tiny-GGUF", Hub::Card::bring);
  ASSERT_TRUE(model) << model.error().text();
  ASSERT_EQ(model->variants.size(), 2U);
  EXPECT_EQ(model->variants[0].name, "Q4_K_M");
  EXPECT_TRUE(model->variants[0].chosen);
  EXPECT_EQ(model->variants[0].size, static_cast<std::int64_t>(model_bytes(8).size()));
  EXPECT_EQ(model->variants[0].memory->fit, wire::MemoryFit::fits);
  EXPECT_EQ(model->architecture, "llama");  // of the header, by a ranged request
  EXPECT_EQ(model->card, "# Tiny");
  EXPECT_EQ(model->commit, world->head("ada/tiny-GGUF"));
}

// ledger: D7
TEST_F(HubCatalogues, a_plan_names_files_and_sizes_and_fetches_nothing) {
  offer("ada/tiny-GGUF", {fakes::file("m-Q4_K_M.gguf", model_bytes(8)), fakes::file("m-Q8_0.gguf", model_bytes(16)),
                          fakes::file("mmproj-F16.gguf", model_bytes(2))});
  start();
  const auto planned = plan({.source = "ada/tiny-GGUF", .filter = "/q8_?0/"});
  ASSERT_TRUE(planned) << planned.error().text();
  ASSERT_EQ(planned->files.size(), 2U);
  EXPECT_EQ(planned->files[0].path, "m-Q8_0.gguf");
  EXPECT_EQ(planned->files[1].role, wire::FileRole::projector);
  EXPECT_EQ(planned->fetch, static_cast<std::int64_t>(model_bytes(16).size() + model_bytes(2).size()));
  EXPECT_TRUE(planned->disk_suffices);
  EXPECT_THAT(rig->queue->list(), IsEmpty());
  EXPECT_THAT(rig->blobs(), IsEmpty());
  EXPECT_THAT(plan({.source = "ada/tiny-GGUF", .filter = "/q8(/"}).error().message, HasSubstr("no regular expression"));
}

TEST_F(HubCatalogues, a_plan_knows_what_is_here_whatever_it_came_from) {
  offer("ada/tiny-GGUF");
  offer("bob/copy-GGUF");
  start().pulled({.source = "ada/tiny-GGUF"});
  EXPECT_TRUE(plan({.source = "ada/tiny-GGUF"})->unchanged);
  const auto other = plan({.source = "bob/copy-GGUF"});
  EXPECT_EQ(other->fetch, 0);
  EXPECT_EQ(other->name, "bob/m:q4_k_m");  // a name that nobody gave takes nobody's place
}

// ledger: M4
TEST_F(HubCatalogues, owners_can_be_bounded) {
  offer("ada/tiny-GGUF");
  offer("eve/tiny-GGUF");
  start({{"hub.allowed_owners", "Ada, ggml-org"}});
  EXPECT_TRUE(plan({.source = "ada/tiny-GGUF"}));
  EXPECT_EQ(plan({.source = "eve/tiny-GGUF"}).error().code, Code::permission_denied);
  EXPECT_EQ(rig->refused({.source = "https://example.com/x.gguf"}).code, "permission_denied");
}

// ledger: D11
TEST_F(HubCatalogues, outdated_says_what_changed_and_an_update_keeps_the_filter) {
  offer("ada/tiny-GGUF", {fakes::file("m-Q4_K_M.gguf", model_bytes(8)), fakes::file("m-Q8_0.gguf", model_bytes(16))});
  const auto name = start().pulled({.source = "ada/tiny-GGUF", .filter = "*q8*"}).name;
  EXPECT_FALSE(upstream_of_only_model().outdated);
  ASSERT_TRUE(world->commit("ada/tiny-GGUF", {fakes::file("README.md", "news")}));
  EXPECT_FALSE(upstream_of_only_model().outdated);  // no file of this model
  ASSERT_TRUE(
      world->commit("ada/tiny-GGUF", {fakes::file("m-Q8_0.gguf", model_bytes(16, 2)), fakes::file("m-Q4_K_M.gguf", model_bytes(8, 2))}));
  const auto news = upstream_of_only_model();
  EXPECT_TRUE(news.outdated);
  EXPECT_THAT(news.changed, ElementsAre("weights"));
  EXPECT_EQ(news.fetch, static_cast<std::int64_t>(model_bytes(16).size()));
  const auto job = rig->ended(rig->pulls.submit_update(*rig->queue, name).value());
  EXPECT_EQ(job.state, wire::JobState::completed);
  EXPECT_EQ(rig->bytes_of(name), model_bytes(16, 2));
  EXPECT_EQ(rig->library.find(name)->provenance.filter, "*q8*");
  EXPECT_FALSE(upstream_of_only_model().outdated);
}

TEST_F(HubCatalogues, what_has_no_upstream_cannot_be_updated) {
  ASSERT_TRUE(os::write_file_atomic(folder.path() / "m.gguf", model_bytes(4)));
  const auto name = start().pulled({.source = folder.path() / "m.gguf"}).name;
  EXPECT_EQ(rig->pulls.submit_update(*rig->queue, name).error().code, Code::unsupported);
}

TEST_F(HubCatalogues, the_token_file_of_other_programs_is_honoured) {
  world->add(fakes::UserSpec{.token = "hf_of_the_file", .name = "ada"});
  auto hidden = repository("ada/mine-GGUF", {fakes::file("m-Q4_K_M.gguf", model_bytes(4))});
  hidden.visibility = "private";
  ASSERT_TRUE(world->add(hidden));
  EXPECT_EQ(start().refused({.source = "ada/mine-GGUF"}).code, "not_found");
  ASSERT_TRUE(os::write_file_atomic(folder.path() / "token", "hf_of_the_file\n"));
  EXPECT_TRUE(plan({.source = "ada/mine-GGUF"}));
}

TEST_F(HubCatalogues, modelscope_is_searched_and_planned_like_the_rest) {
  ASSERT_TRUE(world->add_modelscope(repository("qwen/Tiny-GGUF", {fakes::file("t-Q4_0.gguf", model_bytes(4))})));
  start();
  const auto page = search({.text = "tiny"}, "modelscope");
  ASSERT_TRUE(page) << page.error().text();
  ASSERT_THAT(names(*page), ElementsAre("qwen/Tiny-GGUF"));
  EXPECT_EQ(plan({.source = page->models.front().source})->variant, "Q4_0");
  EXPECT_EQ(search({.text = "tiny"}, "nowhere").error().code, Code::invalid_argument);
}

TEST(Web, finds_the_next_page_among_links) {
  EXPECT_EQ(next_link({{"Link", "<https://h/a?cursor=x>; rel=\"next\""}}), "https://h/a?cursor=x");
  EXPECT_EQ(next_link({{"Link", "<https://h/first>; rel=\"first\", <https://h/b>; rel=\"next\""}}), "https://h/b");
  EXPECT_EQ(next_link({{"Link", "<https://h/first>; rel=\"first\""}}), std::nullopt);
  EXPECT_EQ(next_link({}), std::nullopt);
}

TEST(Web, reads_how_long_to_wait) {
  EXPECT_EQ(wanted_wait({{"RateLimit", "\"api\";r=0;t=2"}}), Seconds(3));
  EXPECT_EQ(wanted_wait({{"Retry-After", "7"}}), Seconds(7));
  EXPECT_EQ(wanted_wait({{"RateLimit", "nonsense"}}), std::nullopt);
}

}  // namespace
}  // namespace puna::hub
