// A push to a registry, whole: from the library over the queue to the double of Ollama's registry.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/publish/publish_testing.h"

namespace puna::hub::publish {
namespace {

using fakes::Role;
using testing::HasSubstr;
using testing::Not;
using wire::FileRole;
using wire::JobState;
using wire::PushChange;

// Made by ssh-keygen for these tests; they open nothing.
constexpr std::string_view kKey = R"(-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACD2hPvyUCKMgR2c0SCkT6at7rqrWMfuBy5Rpo+elIhOfgAAAIjT42gr0+No
KwAAAAtzc2gtZWQyNTUxOQAAACD2hPvyUCKMgR2c0SCkT6at7rqrWMfuBy5Rpo+elIhOfg
AAAEBgOHqI3rWrDI4m0OQXwLVaQQ5G2FoNJMnp3EHXiHMSyvaE+/JQIoyBHZzRIKRPpq3u
uqtYx+4HLlGmj56UiE5+AAAAAAECAwQF
-----END OPENSSH PRIVATE KEY-----
)";
constexpr std::string_view kLockedKey = R"(-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABDD/s66dJ
/IJ0DKNYN/5niBAAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAICbTvNrfFI01ICpN
6+rGHsQzxN44HfTwKvox93rBNV6QAAAAkMFQX2wSQP72/tqpB3A1nsvz4ku0Wc7KtH1PVi
vvJIjOHk882QhNZ/SXbXjEXFb89FitrvwHL774vjs23CkhgPgvW0bRLDGsbKI0/uUBVrwr
2odetRI+0Ox/oHh++XTtnlQIrBp0BGOkUEbSsI9HVMqMblLAx8D7+8S0rY3D/wJklStGYd
VKlqqA2qF+0nN+DQ==
-----END OPENSSH PRIVATE KEY-----
)";
constexpr std::size_t kParts = 10;
const wire::PushRequest kThere{.destination = "ollama://ada/tiny:f16"};

class OllamaPush : public Push {
 protected:
  explicit OllamaPush(fakes::ScenarioSpec scenario = {}) : Push(std::move(scenario)) { keep_key(kKey); }

  void keep_key(std::string_view text) {
    std::filesystem::create_directories(folder_.path() / "home/.ollama");
    ASSERT_TRUE(os::write_file_atomic(folder_.path() / "home/.ollama/id_ed25519", text));
  }
  json::object manifest() const { return json::parse_object(hub_->manifest("ada/tiny:f16")).value_or(json::object()); }
  std::vector<std::string> media() const {
    std::vector<std::string> out;
    for (const auto& layer : manifest().at("layers").as_array())
      out.emplace_back(std::string_view(layer.at("mediaType").as_string()).substr(29));
    return out;
  }
  // The digest of the layer of that kind.
  std::string layer(std::string_view kind) const {
    for (const auto& one : manifest().at("layers").as_array())
      if (std::string_view(one.at("mediaType").as_string()).ends_with(kind)) return one.at("digest").as_string().c_str();
    return {};
  }
  std::string add_text(std::string_view text) {
    const auto file = folder_.path() / "text";
    EXPECT_TRUE(os::write_file_atomic(file, text));
    const auto sha256 = os::sha256_of(text).value();
    EXPECT_TRUE(os::place_file(file, library_.blob_path(sha256).value()));
    return sha256;
  }
  void replace_model(std::vector<model::NewFile> more, wire::Recipe recipe = {}, wire::Provenance provenance = {.catalogue = "file"}) {
    more.insert(more.begin(), {.path = "tiny-F16.gguf", .sha256 = sha256_});
    ASSERT_TRUE(library_.add({.name = "tiny:f16", .files = more, .provenance = provenance, .recipe = recipe}));
  }
  std::size_t asked(std::string_view method, std::string_view part) const {
    return hub_->count([&](const fakes::Served& served) {
      return served.role == Role::registry && served.method == method && served.target.contains(part);
    });
  }
};

TEST_F(OllamaPush, makes_the_tag_mean_the_model) {
  const auto result = pushed(kThere);
  EXPECT_EQ(result.change, PushChange::created);
  EXPECT_EQ(result.commit, os::sha256_of(hub_->manifest("ada/tiny:f16")).value());
  EXPECT_EQ(result.sent, result.size);
  EXPECT_THAT(media(), testing::ElementsAre("model"));
  EXPECT_EQ(layer("model"), "sha256:" + sha256_);
  EXPECT_EQ(puts(), kParts + 1);  // the configuration is one
}

TEST_F(OllamaPush, sends_nothing_that_is_there_already) {
  pushed(kThere);
  const auto sent = puts();
  const auto again = pushed(kThere);
  EXPECT_EQ(again.change, PushChange::unchanged);
  EXPECT_EQ(again.sent, 0);
  EXPECT_EQ(pushed({.destination = "ollama://ada/tiny:other"}).change, PushChange::created);  // of blobs that are there
  EXPECT_EQ(puts(), sent);
}

TEST_F(OllamaPush, a_registry_may_be_named_by_its_host) {
  start({{"hub.ollama_registry", "https://nobody.invalid"}});
  const auto host = hub_->origin(Role::registry).substr(std::string_view("http://").size());
  EXPECT_EQ(pushed({.destination = "ollama://" + host + "/ada/tiny:f16"}).change, PushChange::created);
  EXPECT_EQ(layer("model"), "sha256:" + sha256_);
}

// ledger: T5
TEST_F(OllamaPush, goes_on_behind_the_last_part_that_arrived_when_it_is_tried_again) {
  hub_->fault({.role = Role::storage, .method = "PUT", .skip = 4, .times = 1, .status = 503});
  pushed(kThere);
  EXPECT_EQ(puts(), kParts + 1 + 1);
  EXPECT_EQ(layer("model"), "sha256:" + sha256_);
}

TEST_F(OllamaPush, begins_a_blob_anew_when_the_registry_has_forgotten_its_parts) {
  hub_->fault({.role = Role::registry, .method = "PATCH", .skip = 4, .times = 1, .status = 503});
  hub_->fault({.role = Role::registry, .method = "PATCH", .skip = 4, .times = 1, .status = 404});
  pushed(kThere);
  EXPECT_EQ(layer("model"), "sha256:" + sha256_);
  EXPECT_EQ(asked("POST", "/blobs/uploads/"), 1 + 3);  // the one that asks to sign in, two for the weights, one for the configuration
}

TEST_F(OllamaPush, a_lost_answer_to_the_last_step_sends_nothing_again) {
  hub_->fault({.role = Role::registry, .method = "PUT", .path = "*/blobs/uploads/*", .cut_after = 0, .reset = true});
  pushed(kThere);
  EXPECT_EQ(puts(), kParts + 1);
}

TEST_F(OllamaPush, a_link_that_expired_is_asked_for_anew) {
  start();
  hub_->fault({.role = Role::storage, .method = "PUT", .skip = 2, .times = 1, .status = 403});
  const auto job = ended(kThere);
  EXPECT_EQ(job.state, JobState::completed);
  EXPECT_EQ(asked("POST", "/blobs/uploads/"), 1 + 2);
}

TEST_F(OllamaPush, takes_blobs_from_the_repository_that_the_model_came_from) {
  const auto weights = fakes::Content::on_disk(library_.blob_path(sha256_).value()).value();
  ASSERT_TRUE(hub_->add(fakes::RegistryModelSpec{.name = "library/tiny:latest", .layers = {fakes::file("model", weights)}}));
  replace_model({}, {}, {.catalogue = "ollama", .repository = "library/tiny", .revision = "latest"});
  EXPECT_LT(pushed(kThere).sent, 1000);
  EXPECT_EQ(puts(), 1);  // the configuration
}

TEST_F(OllamaPush, small_files_go_as_they_are) {
  const auto params = add_text(R"({"stop":["<|end|>"],"num_gpu":3})");
  const auto go = add_text("{{ .System }} {{ .Prompt }}");
  const auto jinja = add_text("{% for message in messages %}{{ message.content }}{% endfor %}");
  const auto licence = add_text("do as you like");
  replace_model({{"params", FileRole::parameters, params},
                 {"template", FileRole::chat_template, go},
                 {"chat_template.jinja", FileRole::chat_template, jinja},
                 {"LICENSE", FileRole::licence, licence}});
  pushed(kThere);
  EXPECT_THAT(media(), testing::ElementsAre("model", "template", "params", "license"));
  EXPECT_EQ(layer("params"), "sha256:" + params);
  EXPECT_EQ(layer("template"), "sha256:" + go);
}

TEST_F(OllamaPush, what_the_recipe_says_goes_before_the_files) {
  const auto params = add_text(R"({"temperature":1,"num_gpu":3})");
  wire::Recipe recipe{.system = "You are a pirate.", .messages = {{"user", "hi"}, {"assistant", "arr"}}};
  recipe.parameters["max_tokens"] = 50;
  recipe.context = 4096;
  replace_model({{"params", FileRole::parameters, params}}, recipe);
  pushed(kThere);
  EXPECT_THAT(media(), testing::ElementsAre("model", "system", "params", "messages"));
  EXPECT_EQ(layer("system"), "sha256:" + os::sha256_of("You are a pirate.").value());
  EXPECT_EQ(layer("messages"),
            "sha256:" + os::sha256_of(R"([{"role":"user","content":"hi"},{"role":"assistant","content":"arr"}])").value());
  EXPECT_EQ(layer("params"), "sha256:" + os::sha256_of(R"({"temperature":1,"num_gpu":3,"num_predict":50,"num_ctx":4096})").value());
}

TEST_F(OllamaPush, says_which_key_is_missing) {
  keep_key(kLockedKey);
  EXPECT_THAT(refused(kThere).message, HasSubstr("passphrase"));
  keep_key("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz\n-----END OPENSSH PRIVATE KEY-----\n");
  EXPECT_THAT(refused(kThere).message, HasSubstr("no private key"));
  std::filesystem::remove(folder_.path() / "home/.ollama/id_ed25519");
  const auto missing = refused(kThere);
  EXPECT_EQ(missing.code, "unauthenticated");
  EXPECT_THAT(missing.message, HasSubstr(".ollama/id_ed25519 is not there"));
}

TEST_F(OllamaPush, does_not_sign_for_another_host) {
  hub_->fault({.role = Role::registry,
               .method = "POST",
               .times = 0,
               .status = 401,
               .headers = {{{"WWW-Authenticate", R"(Bearer realm="http://localhost:1/token",service="x",scope="y")"}}}});
  const auto failure = refused(kThere);
  EXPECT_EQ(failure.code, "permission_denied");
  EXPECT_THAT(failure.message, HasSubstr("another host"));
}

TEST_F(OllamaPush, each_refusal_has_its_code) {
  hub_->fault({.role = Role::registry, .path = "/token*", .status = 401});
  EXPECT_EQ(refused(kThere).code, "unauthenticated");
  hub_->fault({.role = Role::registry, .method = "POST", .status = 403});
  EXPECT_EQ(refused(kThere).code, "permission_denied");
  hub_->fault({.role = Role::registry, .method = "PATCH", .status = 413});
  EXPECT_EQ(refused(kThere).code, "too_large");
  hub_->fault({.role = Role::registry, .method = "PUT", .path = "*/manifests/*", .status = 400});
  EXPECT_EQ(refused(kThere).code, "invalid_argument");
}

// ledger: F13
TEST_F(OllamaPush, the_token_goes_to_the_registry_alone_and_into_no_log) {
  pushed(kThere);
  for (const auto& served : hub_->requests())
    if (served.role == Role::storage) EXPECT_EQ(served.authorization, "") << served.target;
  std::string events;
  for (const auto& event : events_.since(0, 100'000).events) events += json::to_text(event->data);
  for (const auto& secret : hub_->secrets()) EXPECT_THAT(events, Not(HasSubstr(secret)));
}

TEST_F(OllamaPush, destinations_are_checked_before_anything_is_asked) {
  EXPECT_THAT(submit({.destination = "ollama://tiny"}).error().message, HasSubstr("namespace"));
  EXPECT_FALSE(submit({.destination = kThere.destination, .is_private = true}));
  EXPECT_FALSE(submit({.destination = kThere.destination, .message = "first"}));
  EXPECT_FALSE(submit({.destination = "modelscope://ada/tiny"}));
  EXPECT_EQ(hub_->requests().size(), 0);
}

TEST_F(OllamaPush, progress_ends_at_its_total) {
  hub_->fault({.role = Role::storage, .method = "PUT", .skip = 4, .times = 1, .status = 503});
  const auto job = ended(kThere);
  EXPECT_EQ(job.progress.phase, "uploading");
  EXPECT_EQ(job.progress.done, job.progress.total);
}

TEST_F(OllamaPush, a_cancelled_push_ends_at_once) {
  hub_->fault({.role = Role::storage, .method = "PUT", .skip = 2, .times = 0, .hold = true});
  const auto job = submit(kThere).value();
  ASSERT_TRUE(await_puts(3));
  ASSERT_TRUE(queue_->cancel(job.id));
  EXPECT_EQ(queue_->wait(job.id, kSoon)->state, JobState::cancelled);
  hub_->release();
}

class OwnRegistry : public OllamaPush {
 protected:
  OwnRegistry() : OllamaPush(fakes::ScenarioSpec{.redirect_uploads = false}) {}
};

TEST_F(OwnRegistry, takes_the_parts_itself) {
  pushed(kThere);
  EXPECT_EQ(layer("model"), "sha256:" + sha256_);
  EXPECT_EQ(puts(), 0);
  EXPECT_EQ(asked("PATCH", "/blobs/uploads/"), kParts + 1);
}

}  // namespace
}  // namespace puna::hub::publish
