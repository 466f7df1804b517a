#include "hub/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace puna::hub {
namespace {

using testing::HasSubstr;

Reference parsed(std::string_view text) {
  auto reference = parse_reference(text);
  EXPECT_TRUE(reference) << text << ": " << (reference ? "" : reference.error().text());
  return reference.value_or(Reference());
}

// What is understood, as one line: catalogue, place of the model, revision, choice.
std::string read(std::string_view text) {
  const auto r = parsed(text);
  return fmt::format("{} {}{}{} @{} :{}", r.catalogue, r.host.empty() ? "" : r.host + " ", r.repository, r.place, r.revision, r.choice);
}

std::string refusal(std::string_view text) {
  const auto reference = parse_reference(text);
  EXPECT_FALSE(reference) << text << " was read as " << (reference ? reference->text() : "");
  return reference ? "" : reference.error().message;
}

TEST(Reference, names_a_repository_with_choice_and_revision) {
  EXPECT_EQ(read("owner/repo"), "huggingface owner/repo @ :");
  EXPECT_EQ(read("owner/repo:Q4_K_M"), "huggingface owner/repo @ :Q4_K_M");
  EXPECT_EQ(read("owner/repo:Q4_K_M@v1.0"), "huggingface owner/repo @v1.0 :Q4_K_M");
  EXPECT_EQ(read("owner/repo@refs/pr/1"), "huggingface owner/repo @refs/pr/1 :");
  EXPECT_EQ(read("hf://gpt2"), "huggingface gpt2 @ :");
  EXPECT_EQ(read("HF.co/Owner/Repo-GGUF:sub/model.gguf"), "huggingface Owner/Repo-GGUF @ :sub/model.gguf");
  EXPECT_EQ(read("owner/repo:/Q[45]_K@?/"), "huggingface owner/repo @ :/Q[45]_K@?/");
  EXPECT_EQ(read("modelscope://Qwen/Qwen3-8B-GGUF:*q8*@master"), "modelscope Qwen/Qwen3-8B-GGUF @master :*q8*");
}

TEST(Reference, understands_the_pages_that_people_copy) {
  EXPECT_EQ(read("https://huggingface.co/owner/repo"), "huggingface owner/repo @ :");
  EXPECT_EQ(read("https://hf.co/owner/repo?show_file_info=m-Q4_0.gguf"), "huggingface owner/repo @ :m-Q4_0.gguf");
  EXPECT_EQ(read("https://huggingface.co/owner/repo/blob/main/a%20b/m.gguf"), "huggingface owner/repo @main :a b/m.gguf");
  EXPECT_EQ(read("https://huggingface.co/owner/repo/resolve/refs%2Fpr%2F1/m.gguf?download=true"),
            "huggingface owner/repo @refs/pr/1 :m.gguf");
  EXPECT_EQ(read("https://huggingface.co/owner/repo/tree/main/Q8_0"), "huggingface owner/repo @main :Q8_0/*");
  EXPECT_EQ(read("https://ollama.com/library/llama3.2:3b"), "ollama library/llama3.2 @3b :");
  EXPECT_EQ(read("https://www.modelscope.cn/models/Qwen/Qwen3/summary"), "modelscope Qwen/Qwen3 @ :");
  EXPECT_THAT(refusal("https://huggingface.co/datasets/owner/name"), HasSubstr("not the page of a model"));
}

TEST(Reference, names_models_of_ollamas_registry_as_ollama_does) {
  EXPECT_EQ(read("ollama://llama3.2"), "ollama library/llama3.2 @ :");
  EXPECT_EQ(read("ollama://llama3.2:3b"), "ollama library/llama3.2 @3b :");
  EXPECT_EQ(read("ollama://me/mine:v1"), "ollama me/mine @v1 :");
  EXPECT_EQ(read("ollama://localhost:5000/me/mine"), "ollama localhost:5000 me/mine @ :");
  EXPECT_EQ(read("ollama://hf.co/owner/repo:Q4_K_M"), "ollama hf.co owner/repo @Q4_K_M :");
  EXPECT_THAT(refusal("ollama://a/b/c/d"), HasSubstr("too many parts"));
  EXPECT_THAT(refusal("ollama://a b"), HasSubstr("no name of an Ollama model"));
}

// ledger: T1
TEST(Reference, keeps_the_case_of_urls_and_hides_their_secrets) {
  const auto signed_url = parsed("https://User:Pass@Example.com/M.gguf?Part=A&X-Amz-Signature=abc");
  EXPECT_EQ(signed_url.text(), "https://Example.com/M.gguf?Part=A");
  EXPECT_EQ(signed_url.secret_place.reveal(), "https://User:Pass@Example.com/M.gguf?Part=A&X-Amz-Signature=abc");
  EXPECT_TRUE(parsed("http://[::1]:8080/m.gguf").secret_place.empty());
  EXPECT_EQ(read("file:///tmp/a%20b.gguf"), "file /tmp/a b.gguf @ :");
}

// ledger: D3 M4
TEST(Reference, lets_no_path_trick_pass) {
  for (const std::string_view text : {"../x/y:Q4",
                                      "owner/..",
                                      "owner/re..po",
                                      "owner//repo",
                                      "owner/repo/x",
                                      "owner%2Frepo/x",
                                      "owner/repo:../../etc/passwd",
                                      "owner/repo:a/../b",
                                      "owner/repo:C:\\x",
                                      "owner/repo@../main",
                                      "owner/repo@-x",
                                      "owner/repo@a//b",
                                      "owner/repo@/abs",
                                      "own er/repo",
                                      "owner/repo\n:x",
                                      "owner/.hidden",
                                      "owner/repo.git",
                                      "ollama://../x",
                                      "ollama://x:..",
                                      "modelscope://a/b/c",
                                      "hf://",
                                      "hf:///",
                                      "https://huggingface.co/owner/repo/blob/main/%2e%2e/x.gguf",
                                      "https://huggingface.co/..%2f..%2fx/y",
                                      "\xff/repo",
                                      "owner/repo:"})
    EXPECT_NE(refusal(text), "") << text;
}

TEST(Reference, says_what_may_have_been_meant) {
  EXPECT_THAT(refusal("llama3"), HasSubstr("ollama://llama3"));
  EXPECT_THAT(refusal("s3://bucket/x"), HasSubstr("unknown scheme"));
  EXPECT_THAT(refusal("owner/repo/file.safetensors"), HasSubstr("behind ':'"));
  EXPECT_THAT(refusal("model.gguf"), HasSubstr("relative path"));
  EXPECT_THAT(refusal(std::string(5000, 'a') + "/b"), HasSubstr("at most"));
}

TEST(Reference, is_the_same_again_from_its_canonical_text) {
  for (const std::string_view text :
       {"owner/repo:Q4_K_M@v1", "hf://gpt2:x.gguf", "ollama://me/mine:v1", "ollama://localhost:5000/library/x",
        "modelscope://a/b:/x@y/@master", "https://example.com/x.gguf?a=b", "/models/x.gguf"})
    EXPECT_EQ(parsed(parsed(text).text()).text(), parsed(text).text());
}

}  // namespace
}  // namespace puna::hub
