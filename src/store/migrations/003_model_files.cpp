#include <array>

#include "store/migrations/tables.h"

namespace puna::store {
namespace {

// Models of several files, what they add to requests, and where they came from; what stood in the tables of 002 is carried over.
constexpr std::array<std::string_view, 13> kStatements = {
    "ALTER TABLE models RENAME TO models_before",
    // A file, whatever it is to whom. modified_ns is the file's own time, by which a change on the disk is noticed; fault is what a
    // verification found of the file of that time.
    R"(CREATE TABLE blobs (
      sha256 TEXT NOT NULL PRIMARY KEY,
      size BIGINT NOT NULL,
      modified_ns BIGINT NOT NULL,
      fault TEXT,
      added_at BIGINT NOT NULL))",
    "INSERT INTO blobs (sha256, size, modified_ns, added_at) SELECT sha256, size, modified_ns, added_at FROM model_files",
    // name_key is the same for names that differ in case only. A model that was removed has another one, and its files until expires_at.
    // details are a wire::ModelDetails, as read by that version of the reader.
    R"(CREATE TABLE models (
      name_key TEXT NOT NULL PRIMARY KEY,
      name TEXT NOT NULL,
      catalogue TEXT NOT NULL,
      repository TEXT,
      revision TEXT,
      commit_id TEXT,
      filter TEXT,
      url TEXT,
      recipe TEXT NOT NULL,
      details TEXT NOT NULL,
      description BIGINT NOT NULL,
      pinned BIGINT NOT NULL,
      created_at BIGINT NOT NULL,
      modified_at BIGINT NOT NULL,
      expires_at BIGINT))",
    R"(INSERT INTO models (name_key, name, catalogue, url, recipe, details, description, pinned, created_at, modified_at)
      SELECT m.name_key, m.name, CASE WHEN m.source LIKE 'http%' THEN 'url' ELSE 'file' END, m.source, '{"messages":[],"parameters":{}}', f.details, f.description, 0,
        m.created_at, m.modified_at
      FROM models_before m JOIN model_files f ON f.sha256 = m.sha256)",
    R"(CREATE TABLE model_parts (
      name_key TEXT NOT NULL REFERENCES models (name_key),
      position BIGINT NOT NULL,
      role TEXT NOT NULL,
      path TEXT NOT NULL,
      sha256 TEXT NOT NULL REFERENCES blobs (sha256),
      PRIMARY KEY (name_key, position)))",
    R"(INSERT INTO model_parts (name_key, position, role, path, sha256)
      SELECT name_key, 0, 'weights', 'model.gguf', sha256 FROM models_before)",
    "CREATE INDEX model_parts_sha256 ON model_parts (sha256)",
    "DROP TABLE models_before",
    "DROP TABLE model_files",
    // A further name that follows its model.
    R"(CREATE TABLE model_aliases (
      name_key TEXT NOT NULL PRIMARY KEY,
      name TEXT NOT NULL,
      target_key TEXT NOT NULL,
      created_at BIGINT NOT NULL))",
    // What the headers of files in other programs' folders say, so that an unchanged file is not opened again.
    R"(CREATE TABLE seen_files (
      path TEXT NOT NULL PRIMARY KEY,
      size BIGINT NOT NULL,
      modified_ns BIGINT NOT NULL,
      inode BIGINT NOT NULL,
      content TEXT NOT NULL,
      description BIGINT NOT NULL))",
    // Names that this library gave to its files in other programs' folders; they are taken away with the file.
    R"(CREATE TABLE shared_files (
      path TEXT NOT NULL PRIMARY KEY,
      sha256 TEXT NOT NULL,
      inode BIGINT NOT NULL))",
};

}  // namespace

constinit const std::span<const std::string_view> kModelFileTables = kStatements;

}  // namespace puna::store
