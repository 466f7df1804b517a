// What the hub double starts with: repositories, people, registry models and faults, in C++ or as one JSON file.
//
//   { "users": [{ "token": "hf_reader", "name": "ada", "role": "read" }],
//     "repositories": [{ "id": "ada/tiny-GGUF", "gated": "auto",
//                        "files": [{ "path": "tiny.Q4_K_M.gguf", "disk": "/tmp/tiny.gguf" }, { "path": "big.gguf", "size": 50000000000 }]
//                        }],
//     "faults": [{ "role": "storage", "skip": 2, "times": 1, "cut_after": 1000 }] }
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "fakes/hub/connection.h"

namespace puna::fakes {

// A file: `content` in C++; in JSON one of text, base64, disk (a path), or size (made up from `seed`, after `head_base64`).
struct FileSpec {
  std::string path;
  std::optional<std::string> text, base64, disk, head_base64;
  std::optional<std::uint64_t> size, seed;
  std::optional<std::string> sha256;  // what is told of it; computed unless given
  std::optional<bool> lfs;            // unless given: above 1 MiB, or by the ending
  std::optional<std::string> kind;    // of a registry's layer: model (unless given), template, params, license, projector, …
  Content::Ptr content;               // not in JSON
  Content::Ptr served;                // not in JSON: the bytes that really come
};
BOOST_DESCRIBE_STRUCT(FileSpec, (), (path, text, base64, disk, head_base64, size, seed, sha256, lfs, kind))

struct RevisionSpec {
  std::string name;
  std::vector<FileSpec> files;
  std::optional<bool> tag;  // rather than a branch
};
BOOST_DESCRIBE_STRUCT(RevisionSpec, (), (name, files, tag))

struct RepositorySpec {
  std::string id;                   // "owner/name", or a bare name
  std::optional<std::string> kind;  // "model" unless given; "dataset", "space"
  std::vector<FileSpec> files;      // of the branch main (ModelScope: master)
  std::optional<std::vector<RevisionSpec>> revisions;
  std::optional<std::string> visibility;  // "public" unless given; "private"
  std::optional<std::string> gated;       // "auto", "manual"
  std::optional<bool> disabled;
  std::optional<std::string> moved_to;  // its new id: requests are sent on by 307
  std::optional<std::uint64_t> downloads, likes;
  std::optional<std::vector<std::string>> tags;
  std::optional<std::string> pipeline_tag, library_name, created_at, last_modified;
  std::optional<json::object> gguf, card;  // expand=gguf, cardData
};
BOOST_DESCRIBE_STRUCT(RepositorySpec, (),
                      (id, kind, files, revisions, visibility, gated, disabled, moved_to, downloads, likes, tags, pipeline_tag,
                       library_name, created_at, last_modified, gguf, card))

struct UserSpec {
  std::string token;
  std::string name;
  std::optional<std::string> role;                                         // "write" unless given; "read"
  std::optional<std::vector<std::string>> organizations, reads, accepted;  // private and gated repositories that it may read
};
BOOST_DESCRIBE_STRUCT(UserSpec, (), (token, name, role, organizations, reads, accepted))

// A model of Ollama's registry.
struct RegistryModelSpec {
  std::string name;  // "library/tiny:latest"
  std::vector<FileSpec> layers;
  std::optional<json::object> config;
  std::optional<bool> closed;  // only for those who sign in with a key
};
BOOST_DESCRIBE_STRUCT(RegistryModelSpec, (), (name, layers, config, closed))

struct RoleSpec {
  Role role = Role::hub;
  std::optional<int> port;
  std::optional<Pace> pace;
  std::optional<std::string> host;  // the name in its origin: "localhost" makes storage another site for clients that look at names only
};
BOOST_DESCRIBE_STRUCT(RoleSpec, (), (role, port, pace, host))

struct ScenarioSpec {
  std::optional<std::vector<RepositorySpec>> repositories, modelscope;
  std::optional<std::vector<UserSpec>> users;
  std::optional<std::vector<RegistryModelSpec>> models;
  std::optional<std::vector<FileSpec>> web;
  std::optional<std::vector<HubFault>> faults;
  std::optional<std::vector<RoleSpec>> roles;
  std::optional<int> link_life_ms;                        // of signed links; one hour unless given
  std::optional<std::uint64_t> api_quota, resolve_quota;  // requests in a window, for everybody together
  std::optional<int> quota_window_ms;
  std::optional<std::uint64_t> tree_page, search_page;  // entries a page
  std::optional<std::uint64_t> part_size;               // of multipart uploads
  std::optional<bool> redirect_uploads;                 // the registry sends the parts of a push on to storage; true unless given
};
BOOST_DESCRIBE_STRUCT(ScenarioSpec, (),
                      (repositories, modelscope, users, models, web, faults, roles, link_life_ms, api_quota, resolve_quota, quota_window_ms,
                       tree_page, search_page, part_size, redirect_uploads))

[[nodiscard]] FileSpec file(std::string path, Content::Ptr content);
[[nodiscard]] FileSpec file(std::string path, std::string text);
// The bytes that a specification means.
[[nodiscard]] Result<Content::Ptr> content_of(const FileSpec& spec);

}  // namespace puna::fakes
