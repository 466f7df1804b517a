// Where models can come from. A source is a row of sources/registry.cpp and one file beside it; catalogues join here.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"
#include "base/secret.h"
#include "base/settings.h"
#include "base/units.h"
#include "hub/part_file.h"
#include "net/http_client.h"
#include "net/io.h"

namespace puna::hub {

// What somebody asked for, understood and without secrets. Nothing has been looked at yet.
struct Origin {
  std::string source;     // the same question again; may be stored and shown
  std::string shown;      // shorter: for titles, messages and the library
  std::string file_name;  // the default name is made from it
  // The question with its credentials when it carried some: kept in memory, never stored. Empty otherwise.
  Secret secret_source;
};

// A complete file, not yet in the library.
class Delivery {
 public:
  virtual ~Delivery() = default;
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }
  [[nodiscard]] const std::string& sha256() const { return sha256_; }
  [[nodiscard]] Bytes size() const { return size_; }

  // Code::conflict when the file is no longer what was hashed.
  [[nodiscard]] virtual Result<> confirm() const = 0;
  // The library holds the bytes now.
  [[nodiscard]] virtual Result<> accepted() = 0;
  // The bytes are not what was wanted, and would not be at the next try.
  [[nodiscard]] virtual Result<> rejected() = 0;

 protected:
  Delivery(std::filesystem::path file, std::string sha256, Bytes size) : file_(std::move(file)), sha256_(std::move(sha256)), size_(size) {}

 private:
  std::filesystem::path file_;
  std::string sha256_;
  Bytes size_;
};

// The origin still has what the library holds under this digest: there is nothing to deliver.
struct Held {
  std::string sha256;
};
using Opened = std::variant<Held, std::unique_ptr<Delivery>>;

// What a source works with, on the job's thread.
struct Fetch {
  net::Io& io;
  net::HttpClient& http;
  const SettingsStore& settings;    // read at each use: a reload applies at once
  std::filesystem::path downloads;  // for files on their way
  std::filesystem::path models;     // where they will go
  CheckpointPolicy checkpoints;
  std::function<bool(const std::string& sha256)> held;  // by the library
  std::stop_token stop;
  std::function<void(std::string_view phase, Bytes done, std::optional<Bytes> total)> progress;
};

struct SourceSpec {
  std::string_view name;  // "url"
  std::string_view form;  // for help: "https://HOST/…/MODEL.gguf"
  bool (*accepts)(std::string_view source);
  // Without touching anything.
  Result<Origin> (*resolve)(std::string_view source);
  // Blocks until the file is here, with its digest. Code::cancelled soon after `stop` was requested; what has come so far is used next
  // time.
  Result<Opened> (*open)(const Origin& origin, const Fetch& fetch);
};

// In the order in which they are asked.
[[nodiscard]] std::span<const SourceSpec> sources();
// Code::invalid_argument lists the forms there are.
[[nodiscard]] Result<const SourceSpec*> find_source(std::string_view source);

}  // namespace puna::hub
