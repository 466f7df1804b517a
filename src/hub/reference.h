// What people type when they mean a model that is elsewhere.
//
//   owner/repo[:CHOICE][@REVISION]        Hugging Face; also hf://…, hf.co/…, and the URL of a repository's or a file's page
//   ollama://[HOST/][NAMESPACE/]NAME[:TAG]
//   modelscope://owner/repo[:CHOICE][@REVISION]
//   https://…                             a file that an HTTP server gives to whoever knows its URL
//   /path, ./path, ~/path, file://…, *.gguf    a file of this machine
//
// CHOICE says which files: a quantization ("Q4_K_M"), a file, a glob or a /regular expression/ (choice/filter.h).
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"

namespace puna::hub {

// A value. Every part is checked: a repository and a revision hold no step to another folder, no escape and no control character.
struct Reference {
  std::string catalogue;   // a row of catalogues/registry.cpp
  std::string host;        // of an Ollama registry other than the one in the settings, with its port
  std::string repository;  // "owner/repo", "library/llama3.2"; empty where `place` says all
  std::string revision;    // branch, tag, commit; of Ollama the tag; empty: the usual one
  std::string choice;      // as typed; empty: the best that this machine can run
  std::string place;       // an URL without its secrets, or a path
  Secret secret_place;     // the URL with its credentials and signatures; empty when it has none

  // The same reference again, in one canonical form and without secrets: may be stored and shown.
  [[nodiscard]] std::string text() const;
  // Without choice and revision: "owner/repo", "ollama://llama3.2", a path.
  [[nodiscard]] std::string shown() const;
  // Whose model it is: "owner", "library"; the host of an URL; empty for a file of this machine.
  [[nodiscard]] std::string_view owner() const;
};

inline constexpr std::string_view kHuggingFace = "huggingface";
inline constexpr std::string_view kOllama = "ollama";
inline constexpr std::string_view kModelScope = "modelscope";
inline constexpr std::string_view kUrl = "url";
inline constexpr std::string_view kFile = "file";

// Looks at the text only. Code::invalid_argument says what is wrong with it and what may have been meant.
[[nodiscard]] Result<Reference> parse_reference(std::string_view typed);

// The rule for a repository's name: "owner/repo", or "gpt2" where a bare name may stand.
[[nodiscard]] Result<> check_repository(std::string_view repository);
// A branch, tag or commit: "main", "v1.0", "refs/pr/1".
[[nodiscard]] Result<> check_revision(std::string_view revision);

}  // namespace puna::hub
