#include "training/adapter_jobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "gguf/reader.h"
#include "model/library.h"
#include "models/random_adapter.h"
#include "models/tiny_model.h"
#include "os/disk.h"
#include "os/file.h"
#include "os/place_file.h"
#include "os/sha256.h"
#include "os/temporary_folder.h"

namespace puna::training {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::UnorderedElementsAre;
using wire::ExportForm;
using wire::JobState;

constexpr Milliseconds kSoon{60'000};

// A library with the model "tiny" and two adapters for it, "care" as if it had been trained here; a queue, and the jobs.
class Adapting : public testing::Test {
 protected:
  Adapting() {
    const auto base = write("tiny.gguf");
    EXPECT_TRUE(tiny_model::write(base, tiny_model::Kind::chat));
    for (std::uint64_t seed : {1, 2}) {
      const auto file = write(fmt::format("{}.gguf", seed));
      EXPECT_TRUE(tiny_model::write_random_adapter(file, base, seed));
      add(seed == 1 ? "care" : "wit", file, {.catalogue = seed == 1 ? "tune" : "file", .repository = "tiny:latest"});
    }
    add("tiny", base, {.catalogue = "file"});
    EXPECT_TRUE(queue_.start());
  }

  fs::path write(const std::string& name) const { return folder_.path() / name; }
  void add(const std::string& name, const fs::path& file, wire::Provenance from) {
    const auto hash = os::sha256_of(os::read_file(file, gib(1)).value()).value();
    ASSERT_TRUE(os::place_file(file, library_.blob_path(hash).value()));
    ASSERT_TRUE(library_.add({.name = name, .files = {{.path = name + ".gguf", .sha256 = hash}}, .provenance = std::move(from)}));
  }
  template <class Outcome>
  Outcome done(const Result<wire::Job>& job) {
    EXPECT_TRUE(job) << job.error().text();
    const auto ended = queue_.wait(job.value().id, kSoon).value();
    EXPECT_EQ(ended.state, JobState::completed) << ended.failure.value_or(wire::JobFailure()).message;
    return json::decode<Outcome>(ended.result.value_or(nullptr)).value_or(Outcome());
  }
  wire::JobFailure failure(const Result<wire::Job>& job) {
    EXPECT_TRUE(job) << job.error().text();
    return queue_.wait(job.value().id, kSoon)->failure.value_or(wire::JobFailure());
  }
  // Its result is a hash of what it would send.
  jobs::JobSpec push_spec() {
    return {.kind = "push",
            .title = [](const json::value&) { return "push"; },
            .run = [this](jobs::JobContext& context) -> Result<json::value> {
              PUNA_TRY(const auto form, jobs_.make_peft_form("care", context));
              return hash_of(form.files);
            }};
  }
  static Result<json::value> hash_of(const std::vector<fs::path>& files) {
    std::string all;
    for (const auto& file : files) all += file.filename().string() + ":" + os::read_file(file, gib(1)).value();
    return json::value(os::sha256_of(all).value());
  }
  bool left_over() const { return fs::exists(working_) && !fs::is_empty(working_); }

  os::TemporaryFolder folder_ = os::TemporaryFolder::create().value();
  store::Database database_ = store::Database::open(":memory:").value();
  EventBus events_;
  SettingsStore settings_{SettingsStore::Sources{}};
  model::Library library_ = model::Library::open(database_, events_, folder_.path() / "models").value();
  fs::path working_ = folder_.path() / "models" / "adapting";
  Bytes space_ = gib(1);
  AdapterJobs jobs_{{.settings = settings_,
                     .library = library_,
                     .program = PUNA_PROGRAM,
                     .folder = working_,
                     .require_space = [this](const fs::path&, Bytes needed) -> Result<> {
                       if (needed <= space_) return {};
                       return fail(Code::disk_full, "too little room");
                     }}};
  jobs::Queue queue_{database_, events_, settings_, std::vector{jobs_.merge_spec(), jobs_.export_spec(), jobs_.import_spec(), push_spec()}};
};

TEST_F(Adapting, merges_an_adapter_into_a_model_of_its_own) {
  const auto result = done<wire::MergeResult>(jobs_.submit(queue_, wire::MergeRequest{.model = "tiny+wit", .name = "both"}));
  EXPECT_EQ(result.name, "both:latest");
  EXPECT_GT(result.tensors, 0);
  EXPECT_EQ(result.rounding, 0);
  EXPECT_GT(result.tokens, 50);
  EXPECT_LT(result.divergence, 1e-6);
  EXPECT_EQ(result.same_choice, 1);
  const auto merged = library_.show("both").value();
  EXPECT_EQ(merged.model.source, "merged from tiny:latest+wit:latest");
  EXPECT_FALSE(merged.model.problem);
  EXPECT_EQ(gguf::Header::read_file(merged.path)->text("general.name"), "both:latest");
  EXPECT_FALSE(left_over());
}

TEST_F(Adapting, knows_the_base_of_what_was_trained_here) {
  const auto result = done<wire::MergeResult>(jobs_.submit(queue_, wire::MergeRequest{.model = "care", .type = wire::MergeType::f16}));
  EXPECT_EQ(result.name, "care-merged:latest");
  EXPECT_EQ(result.base, "tiny:latest");
  EXPECT_GT(result.rounding, 0);
  EXPECT_FALSE(result.advice);
}

TEST_F(Adapting, merges_several_adapters_at_once) {
  const auto result = done<wire::MergeResult>(jobs_.submit(queue_, wire::MergeRequest{.model = "tiny+care+wit", .name = "all"}));
  EXPECT_THAT(result.adapters, testing::ElementsAre("care:latest", "wit:latest"));
  EXPECT_LT(result.divergence, 1e-6);
}

TEST_F(Adapting, exports_for_transformers_and_takes_the_same_back) {
  const auto folder = write("out");
  const auto result = done<wire::ExportResult>(
      jobs_.submit(queue_, wire::ExportRequest{.model = "care", .form = ExportForm::peft, .folder = folder, .base_model = "owner/tiny"}));
  EXPECT_THAT(result.files, UnorderedElementsAre("adapter_config.json", "adapter_model.safetensors"));
  EXPECT_THAT(os::read_file(folder / "adapter_config.json", mib(1)).value(), HasSubstr(R"("base_model_name_or_path": "owner/tiny")"));
  const auto back = done<wire::ImportResult>(jobs_.submit(queue_, wire::ImportRequest{.model = "tiny", .folder = folder, .name = "again"}));
  EXPECT_EQ(back.serves, "tiny:latest+again:latest");
  done<wire::MergeResult>(jobs_.submit(queue_, wire::MergeRequest{.model = "again", .name = "one"}));
  done<wire::MergeResult>(jobs_.submit(queue_, wire::MergeRequest{.model = "care", .name = "one-too"}));
  const auto tensors = [&](std::string_view name) {
    const auto path = library_.show(name)->path;
    const auto offset = gguf::Header::read_file(path)->data_offset();
    return os::read_file(path, gib(1)).value().substr(offset);
  };
  EXPECT_TRUE(tensors("one") == tensors("one-too"));
}

TEST_F(Adapting, makes_for_a_push_what_an_export_writes) {
  const auto pushed = queue_.wait(queue_.submit("push", nullptr)->id, kSoon).value();
  const auto folder = write("out");
  done<wire::ExportResult>(jobs_.submit(queue_, wire::ExportRequest{.model = "care", .form = ExportForm::peft, .folder = folder}));
  EXPECT_EQ(pushed.result, hash_of({folder / "adapter_config.json", folder / "adapter_model.safetensors"}).value());
  EXPECT_FALSE(left_over());
}

TEST_F(Adapting, exports_what_ollama_and_llama_cpp_take) {
  const auto folder = write("ollama");
  const auto result = done<wire::ExportResult>(
      jobs_.submit(queue_, wire::ExportRequest{.model = "tiny+wit", .form = ExportForm::ollama, .folder = folder}));
  EXPECT_THAT(result.files, UnorderedElementsAre("wit.gguf", "Modelfile"));
  const auto text = os::read_file(folder / "Modelfile", mib(1)).value();
  EXPECT_THAT(text, HasSubstr("\nFROM " + library_.show("tiny")->path + "\n"));
  EXPECT_THAT(text, HasSubstr("\nADAPTER ./wit.gguf\n"));
  EXPECT_EQ(os::read_file(folder / "wit.gguf", gib(1)).value(), os::read_file(library_.show("wit")->path, gib(1)).value());
}

TEST_F(Adapting, refuses_at_once_what_cannot_work) {
  const auto merge = [&](wire::MergeRequest request) { return jobs_.submit(queue_, request).error(); };
  EXPECT_THAT(merge({.model = "tiny"}).message, HasSubstr("name one behind a plus: tiny:latest+ADAPTER"));
  EXPECT_THAT(merge({.model = "wit"}).message, HasSubstr("BASE+wit:latest"));
  EXPECT_THAT(merge({.model = "tiny+tiny"}).message, HasSubstr("tiny:latest is a model, no adapter"));
  EXPECT_EQ(merge({.model = "tiny+nobody"}).code, Code::not_found);
  EXPECT_EQ(merge({.model = "care", .name = "wit"}).code, Code::already_exists);
  const auto write_out = [&](const fs::path& folder) {
    return jobs_.submit(queue_, wire::ExportRequest{.model = "care", .form = ExportForm::gguf, .folder = folder}).error();
  };
  EXPECT_EQ(write_out("relative").code, Code::invalid_argument);
  EXPECT_EQ(write_out(folder_.path()).code, Code::conflict);
  EXPECT_EQ(jobs_.submit(queue_, wire::ImportRequest{.model = "tiny", .folder = folder_.path()}).error().code, Code::not_found);
}

// ledger: F6
TEST_F(Adapting, refuses_a_merge_that_the_disk_has_no_room_for) {
  space_ = Bytes(1000);
  EXPECT_EQ(jobs_.submit(queue_, wire::MergeRequest{.model = "care"}).error().code, Code::disk_full);
}

TEST_F(Adapting, leaves_nothing_of_an_import_that_fails) {
  const auto folder = write("broken");
  fs::create_directory(folder);
  std::ofstream(folder / "adapter_config.json") << R"({"peft_type":"LORA","lora_alpha":8})";
  std::ofstream(folder / "adapter_model.safetensors") << "nothing";
  const auto failed = failure(jobs_.submit(queue_, wire::ImportRequest{.model = "tiny", .folder = folder}));
  EXPECT_EQ(failed.code, "corrupt_data");
  EXPECT_THAT(failed.message, HasSubstr("safetensors header"));
  EXPECT_EQ(library_.find("broken").error().code, Code::not_found);
  EXPECT_FALSE(left_over());
}

}  // namespace
}  // namespace puna::training
