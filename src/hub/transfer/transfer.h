// The transfer engine: brings files over HTTP, fast, safely, and again after anything.
//
// One Engine serves the whole daemon. Each file is one partial file under `downloads`, filled piece by piece over as many connections as
// the server rewards, hashed while it arrives, and remembered by a journal, so that neither a kill nor a power cut costs what is here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/settings.h"
#include "base/units.h"
#include "net/http_client.h"
#include "net/http_types.h"
#include "net/url.h"

namespace puna::hub::transfer {

enum class Algorithm { sha256, git_sha1 };  // git_sha1: of "blob SIZE\0" and the content, as git names files
struct Digest {
  Algorithm algorithm = Algorithm::sha256;
  std::string hex;  // lower case

  bool operator==(const Digest&) const = default;
};

// Where a file can be fetched right now. The headers (Authorization) and the URL's credentials are never sent to another origin.
struct Location {
  net::Url url;
  net::Headers headers;
};

// Why a location is asked for.
enum class Why {
  first,    // nothing is known yet
  expired,  // the one that worked is refused now (401, 403, 404, 410), or ends soon: sign anew, read the token anew
  mirror,   // the one given fails: another host, if there is one; the same Location again means that there is none
};

// One file.
struct Wanted {
  std::string key;               // [a-z0-9-]+, names the partial file: the same for the same content, wherever it comes from
  std::string shown;             // for messages: "owner/repo/file.gguf"
  std::optional<Bytes> size;     // nullopt: learned from the first answer
  std::optional<Digest> digest;  // nullopt: nothing to compare with; the server's validators decide what belongs together
  // Blocks; called on a thread of the engine, never after fetch() has returned, and as seldom as possible. Redirects are followed by the
  // engine, and what they lead to is shared by all pieces: there is no need to follow them here.
  std::function<Result<Location>(Why why, const std::stop_token& stop)> locate;
  // Whether a file may begin like this, given at least its first 512 bytes (or all): an error refuses the file before more is fetched.
  // Quick; called on a thread of the engine. Web pages, JSON errors and LFS pointers in place of a file are refused without it.
  std::function<Result<>(std::string_view beginning, std::string_view content_type)> begins_right = {};
};

// A complete file, durable and equal to the digest that was wanted. The engine no longer writes to it.
struct Arrived {
  std::filesystem::path file;  // under `downloads`: move it or link it away, then forget() the key
  std::string sha256;
  Bytes size;
  // As the server said them: for a later question whether the file is still the same.
  std::optional<std::string> etag;
  std::optional<std::string> last_modified;
};

enum class FileState { waiting, running, verifying, complete };
struct FileProgress {
  std::string shown;
  FileState state = FileState::waiting;
  Bytes done;
  std::optional<Bytes> total;  // nullopt while unknown
};

struct Progress {
  std::string_view phase;      // "preparing", "downloading", "waiting", "verifying", "repairing"
  Bytes done;                  // of all files, on the disk or in its cache; never falls
  std::optional<Bytes> total;  // nullopt while the size of a file is unknown
  int connections = 0;
  std::string note;  // for people, may be empty: "the server asks to wait 12 s", "tried again in 3 s: …"
  std::vector<FileProgress> files;
};

// How files are wanted.
struct Ask {
  std::stop_token stop;
  int priority = 0;  // higher goes first
  // Where the files will go: when that is another file system, room for all of them is required there, too.
  std::optional<std::filesystem::path> target;
  std::function<void(const Progress&)> progress = {};  // on the thread that called fetch(), a few times a second
};

// What an unfinished transfer left.
struct Partial {
  std::string key;
  std::filesystem::path file;
  Bytes on_disk;
  WallTime last_used;
  bool in_use = false;
  bool quarantined = false;  // complete, but not what its digest promised; kept for whoever wants to know why
};

// Thread-safe. Outlives the jobs that use it. Settings are read at each use: a reload applies at once.
class Engine {
 public:
  struct Parts {
    const SettingsStore& settings;
    std::filesystem::path downloads;  // made if it is missing
    net::ClientOptions http = {};     // proxy, authorities, user agent, offline
  };
  explicit Engine(Parts parts);
  ~Engine();  // no fetch() may be running
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Brings every file and returns them in the order of asking; blocks. Who asks for a key that is on its way shares that transfer. What
  // came of a failed or cancelled fetch is kept and used next time.
  // Errors: cancelled within 250 ms of the stop; disk_full with figures (before the first byte, or on the way); corrupt_data for what is
  // not the wanted file; those of locate(), of the network and of HTTP statuses, after as many tries as the settings say.
  [[nodiscard]] Result<std::vector<Arrived>> fetch(const std::vector<Wanted>& files, const Ask& ask);

  // Removes what is kept under this key: the partial file and its journal. Code::conflict while it is being fetched.
  [[nodiscard]] Result<> forget(std::string_view key);
  [[nodiscard]] std::vector<Partial> partials() const;
  // Forgets what was not used for as long as the setting transfer.keep_partials says; also done now and then by itself.
  Bytes prune();

  // Bytes that have come since the start, those included that had to come again.
  [[nodiscard]] Bytes received() const;

  // For requests from now on: another proxy, offline mode.
  void configure(net::ClientOptions http);

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace puna::hub::transfer
