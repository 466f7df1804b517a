// The tables of the library.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "store/database.h"
#include "wire/model.h"

namespace puna::model {

struct BlobRow {
  std::string sha256;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  std::optional<std::string> fault;
  WallTime added_at;
};
BOOST_DESCRIBE_STRUCT(BlobRow, (), (sha256, size, modified_ns, fault, added_at))

struct ModelRow {
  std::string name_key;  // of a removed model: no name's
  std::string name;
  std::string catalogue;
  std::optional<std::string> repository;
  std::optional<std::string> revision;
  std::optional<std::string> commit_id;
  std::optional<std::string> filter;
  std::optional<std::string> url;
  json::value recipe;            // a wire::Recipe
  json::value details;           // a wire::ModelDetails
  std::int64_t description = 0;  // kDescription when they were read
  bool pinned = false;
  WallTime created_at;
  WallTime modified_at;
  std::optional<WallTime> expires_at;  // set: the model was removed, and its files go then
};
BOOST_DESCRIBE_STRUCT(ModelRow, (),
                      (name_key, name, catalogue, repository, revision, commit_id, filter, url, recipe, details, description, pinned,
                       created_at, modified_at, expires_at))

struct PartRow {
  std::string name_key;
  std::int64_t position = 0;
  wire::FileRole role = wire::FileRole::weights;
  std::string path;
  std::string sha256;
};
BOOST_DESCRIBE_STRUCT(PartRow, (), (name_key, position, role, path, sha256))

struct AliasRow {
  std::string name_key;
  std::string name;
  std::string target_key;
  WallTime created_at;
};
BOOST_DESCRIBE_STRUCT(AliasRow, (), (name_key, name, target_key, created_at))

// What the headers of a model in place say; the stamp is of all its files together.
struct SeenRow {
  std::string path;  // of the first file
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t inode = 0;
  json::value content;
  std::int64_t description = 0;
};
BOOST_DESCRIBE_STRUCT(SeenRow, (), (path, size, modified_ns, inode, content, description))

// A name that the library gave to a file in another program's folder.
struct SharedRow {
  std::string path;
  std::string sha256;
  std::int64_t inode = 0;
};
BOOST_DESCRIBE_STRUCT(SharedRow, (), (path, sha256, inode))

// A print is of a model's files; the findings are a wire::ModelProbe.
struct ProbeRow {
  std::string print;
  json::value findings;
  WallTime probed_at;
};
BOOST_DESCRIBE_STRUCT(ProbeRow, (), (print, findings, probed_at))

class Table {
 public:
  explicit Table(store::Database& database) : database_(database) {}
  struct Content {
    std::vector<BlobRow> blobs;
    std::vector<ModelRow> models;
    std::vector<PartRow> parts;  // by model and position
    std::vector<AliasRow> aliases;
  };
  [[nodiscard]] Result<Content> load() const;
  // All in one transaction; rows of the same content and the model of the same name are replaced.
  [[nodiscard]] Result<> put(const std::vector<BlobRow>& blobs, const ModelRow& model, const std::vector<PartRow>& parts);
  [[nodiscard]] Result<> put_blob(const BlobRow& blob);
  // The model's own row only.
  [[nodiscard]] Result<> put_model(const ModelRow& model);
  // The same model under another key.
  [[nodiscard]] Result<> move_model(std::string_view from_key, const ModelRow& model);
  [[nodiscard]] Result<> remove_model(std::string_view name_key);
  [[nodiscard]] Result<> put_alias(const AliasRow& alias);
  [[nodiscard]] Result<> remove_alias(std::string_view name_key);
  [[nodiscard]] Result<> remove_blob(std::string_view sha256);

  [[nodiscard]] Result<std::vector<SharedRow>> load_shared() const;
  [[nodiscard]] Result<> put_shared(const SharedRow& row);
  [[nodiscard]] Result<> remove_shared(std::string_view path);

  [[nodiscard]] Result<std::vector<SeenRow>> load_seen() const;
  [[nodiscard]] Result<> change_seen(const std::vector<SeenRow>& put, const std::vector<std::string>& remove);

  [[nodiscard]] Result<std::vector<ProbeRow>> load_probes() const;
  [[nodiscard]] Result<> put_probe(const ProbeRow& row);
  [[nodiscard]] Result<> remove_probes(const std::vector<std::string>& prints);

 private:
  store::Database& database_;
};

}  // namespace puna::model
