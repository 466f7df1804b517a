// All that the hub double knows. Guarded by the Hub's mutex: handlers run one at a time.
#pragma once

#include <chrono>
#include <expected>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fakes/hub/scenario.h"

namespace puna::fakes {

using Clock = std::chrono::system_clock;

struct StoredFile {
  Content::Ptr content;  // what it is said to be
  Content::Ptr served;   // what comes when it is asked for
  std::string sha256;
  bool lfs = false;
};
using Files = std::map<std::string, StoredFile>;

struct Commit {
  std::string id, title;
  Clock::time_point date;
  Files files;
};

struct Repository {
  RepositorySpec about;  // without its files
  std::map<std::string, Commit> commits;
  std::vector<std::string> history;  // of all branches, oldest first
  std::map<std::string, std::string> branches, tags;
  [[nodiscard]] std::string first_branch() const {
    return branches.contains("main") || branches.empty() ? "main" : branches.begin()->first;
  }
};

// A link to storage that somebody was given.
struct Grant {
  Content::Ptr content;
  std::string name;  // of the file
  Clock::time_point until;
  std::optional<std::uint64_t> left;  // bytes that it may still fetch
  std::string upload;                 // the upload that it may write to; empty for downloads
  std::uint64_t part = 0;             // its place among the parts; 0: all of it
};

// An upload whose parts are arriving.
struct Upload {
  std::string sha256;  // expected; empty when it is told at the end
  std::map<std::uint64_t, Content::Ptr> parts;
  std::string repository;
};

struct RegistryModel {
  std::string manifest;
  bool closed = false;
};

struct User {
  UserSpec about;
  bool revoked = false;
};

struct Window {
  Clock::time_point began;
  std::uint64_t used = 0;
};

enum class Right : std::uint8_t { see, read, write };

struct World {
  std::map<Role, std::string> origins;
  std::map<std::string, Repository> repositories;  // "model/owner/name"
  std::map<std::string, Repository> modelscope;
  std::map<std::string, User> users;                   // by token
  std::map<std::string, Content::Ptr> objects;         // by SHA-256: LFS objects and registry blobs
  std::map<std::string, RegistryModel> models;         // "library/tiny:latest"
  std::map<std::string, std::set<std::string>> blobs;  // which blobs a registry repository has
  std::map<std::string, StoredFile> web;               // by path
  std::map<std::string, Grant> grants;                 // by signature
  std::map<std::string, Upload> uploads;
  std::set<std::string> registry_tokens;
  std::map<std::string, Window> windows;  // by bucket
  std::map<Role, Pace> paces;
  ScenarioSpec settings;  // its scalar members
  std::uint64_t serial = 0;
  std::filesystem::path folder;  // for bodies and joined uploads
  // What the fault of the request in hand does to a link given for it.
  std::optional<std::uint64_t> link_bytes;
  std::optional<int> link_ms;

  Result<> add(const RepositorySpec& spec);
  Result<> add_modelscope(const RepositorySpec& spec);
  Result<> add(const RegistryModelSpec& spec);
  Result<> add_web(const FileSpec& spec);
  void add(const UserSpec& spec);
  // A commit on a branch: these files put, those removed. Returns its id.
  Result<std::string> commit(Repository& repository, const std::string& branch, const std::vector<FileSpec>& put,
                             const std::vector<std::string>& removed, std::string title);
  std::string commit(Repository& repository, const std::string& branch, Files files, std::string title);

  [[nodiscard]] std::string sign(Role role, std::string_view path, Grant grant);  // a link; the path begins with '/'
  // The parts of an upload as one object, which from now on can be had by its digest; it must have the digest that was told.
  [[nodiscard]] Result<Content::Ptr> join(const std::string& upload);
  [[nodiscard]] std::string unique();  // 32 hexadecimal digits, the same in every run
};

// Who asks; nothing for strangers. The answer is for tokens that mean nobody.
[[nodiscard]] std::expected<const User*, Answer> asker(const World& world, const Request& request);
// A repository, if the asker has that right to it.
[[nodiscard]] std::expected<Repository*, Answer> open_repository(World& world, const Request& request, const std::string& kind,
                                                                 const std::string& id, Right right);
// The commit that a branch, tag, commit or pull request names.
[[nodiscard]] std::expected<const Commit*, Answer> find_commit(const Repository& repository, const std::string& revision);
[[nodiscard]] Answer hub_error(int status, std::string message, std::string code = {});

[[nodiscard]] Result<StoredFile> stored(const FileSpec& spec);

// The answers of each role.
[[nodiscard]] Answer hub_answer(World& world, const Request& request);
[[nodiscard]] Answer storage_answer(World& world, const Request& request);
[[nodiscard]] Answer registry_answer(World& world, const Request& request);
[[nodiscard]] Answer modelscope_answer(World& world, const Request& request);
[[nodiscard]] Answer web_answer(World& world, const Request& request);

}  // namespace puna::fakes
