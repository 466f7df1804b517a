// What the library's tests share: a library in a temporary folder, and small model files for it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gguf/writer.h"
#include "model/library.h"
#include "os/temporary_folder.h"

namespace puna::model::test {

inline std::string sha(char digit) {
  return std::string(64, digit);
}

// A model with one tensor; `context` is something to tell two of them apart by.
inline void write_model(const std::filesystem::path& file, std::uint32_t context = 2048,
                        const std::map<std::string, gguf::Value>& more = {}) {
  static const std::vector<std::byte> weights(32 * 4);
  gguf::Writer writer;
  writer.set("general.architecture", std::string("llama"));
  writer.set("llama.context_length", context);
  for (const auto& [key, value] : more) writer.set(key, value);
  writer.add_tensor("token_embd.weight", gguf::TensorType::f32, {32}, weights).value();
  writer.write(file).value();
}

// A model of one file, from a path.
inline NewModel one_file(std::string_view name, char digit, std::string url = "/from/somewhere.gguf") {
  return {.name = std::string(name),
          .files = {{.path = "model.gguf", .sha256 = sha(digit)}},
          .provenance = {.catalogue = "file", .url = std::move(url)}};
}

class Rig {
 public:
  Rig() : folder(os::TemporaryFolder::create().value()), database(store::Database::open(folder.path() / "puna.db").value()) { reopen(); }
  // As the next start of the daemon does.
  void reopen() { library.emplace(Library::open(database, events, folder.path() / "models").value()); }
  std::filesystem::path blob(char digit) const { return library->blob_path(sha(digit)).value(); }
  wire::Model add(std::string_view name, char digit, std::uint32_t context = 2048) {
    if (!std::filesystem::exists(blob(digit))) write_model(blob(digit), context);
    return library->add(one_file(name, digit)).value();
  }
  std::vector<std::string> names() {
    std::vector<std::string> out;
    for (const auto& model : library->list().value()) out.push_back(model.name);
    return out;
  }
  std::vector<std::string> told() const {
    std::vector<std::string> out;
    for (const auto& event : events.since(0).events) out.push_back(event->type + " " + std::string(event->data.at("name").as_string()));
    return out;
  }

  os::TemporaryFolder folder;
  store::Database database;
  EventBus events;
  std::optional<Library> library;
};

}  // namespace puna::model::test
