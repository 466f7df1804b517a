#include "worker/warmth/saved_states.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "os/atomic_file.h"
#include "os/file.h"
#include "os/mapped_file.h"
#include "os/sha256.h"

namespace puna::worker {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEnding = ".kv";
constexpr std::size_t kKeyDigits = 16;  // of file names
constexpr std::size_t kPiece = 1U << 20U;
constexpr std::size_t kLongestOrigin = 1U << 28U;

// The beginning of a file; the text of the adapters, the tokens and the state follow. Numbers as this machine has them: states do not
// travel.
struct FileHead {
  std::array<char, 8> magic = {'P', 'U', 'N', 'A', 'K', 'V', '0', '1'};
  std::array<char, 64> key{};
  std::uint64_t adapters = 0;  // bytes
  std::uint64_t tokens = 0;
  std::uint64_t state = 0;  // bytes
  std::array<char, 64> state_hash{};
  std::array<char, 64> origin_hash{};  // of everything before the state, this member being zeros
};

std::string_view bytes_of(const FileHead& head) {
  return {reinterpret_cast<const char*>(&head), sizeof(head)};
}
std::string_view bytes_of(const std::vector<std::int32_t>& tokens) {
  return {reinterpret_cast<const char*>(tokens.data()), tokens.size() * sizeof(std::int32_t)};
}

void put(std::array<char, 64>& digits, std::string_view text) {
  std::memcpy(digits.data(), text.data(), std::min(digits.size(), text.size()));
}

Result<std::string> origin_hash(FileHead head, const StateOrigin& origin) {
  head.origin_hash = {};
  os::Sha256 hash;
  hash.update(bytes_of(head));
  hash.update(origin.adapters);
  hash.update(bytes_of(origin.tokens));
  return hash.hex();
}

Result<> read_exactly(int descriptor, char* to, std::size_t size) {
  while (size > 0) {
    const ssize_t got = ::read(descriptor, to, size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(errno_error(errno, "cannot read a saved state"));
    if (got == 0) return fail(Code::corrupt_data, "a saved state is shorter than it says");
    to += got;
    size -= static_cast<std::size_t>(got);
  }
  return {};
}

struct Opened {
  FileHead head;
  StateOrigin origin;
};

std::unexpected<Error> torn() {
  return fail(Code::corrupt_data, "a saved state is not what it claims to be");
}

// Leaves the descriptor at the state.
Result<Opened> read_head(int descriptor) {
  Opened out;
  struct stat info{};
  if (::fstat(descriptor, &info) != 0) return fail(errno_error(errno, "cannot look at a saved state"));
  PUNA_CHECK(read_exactly(descriptor, reinterpret_cast<char*>(&out.head), sizeof(out.head)));
  const FileHead& head = out.head;
  if (head.magic != FileHead().magic || head.adapters > kLongestOrigin || head.tokens > kLongestOrigin) return torn();
  const std::uint64_t before = sizeof(head) + head.adapters + head.tokens * sizeof(std::int32_t);
  if (static_cast<std::uint64_t>(info.st_size) != before + head.state) return torn();
  out.origin.adapters.resize(head.adapters);
  out.origin.tokens.resize(head.tokens);
  PUNA_CHECK(read_exactly(descriptor, out.origin.adapters.data(), head.adapters));
  PUNA_CHECK(read_exactly(descriptor, reinterpret_cast<char*>(out.origin.tokens.data()), head.tokens * sizeof(std::int32_t)));
  PUNA_TRY(const auto hash, origin_hash(head, out.origin));
  if (hash != std::string_view(head.origin_hash.data(), head.origin_hash.size())) return torn();
  return out;
}

struct FoundFile {
  fs::path path;
  fs::file_time_type used;
  std::uint64_t size = 0;
};

// Files that another process removes meanwhile are not there.
std::vector<FoundFile> states_below(const fs::path& root) {
  std::vector<FoundFile> out;
  std::error_code gone;
  for (const auto& folder : fs::directory_iterator(root, gone))
    for (const auto& entry : fs::directory_iterator(folder.path(), gone)) {
      if (entry.path().extension() != kEnding) continue;
      std::error_code unknown;
      FoundFile file{entry.path(), entry.last_write_time(unknown), 0};
      if (!unknown) file.size = entry.file_size(unknown);
      if (!unknown) out.push_back(std::move(file));
    }
  return out;
}

std::size_t common_prefix(std::span<const std::int32_t> a, std::span<const std::int32_t> b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

}  // namespace

Result<std::unique_ptr<SavedStates>> SavedStates::open(StatesPlace place) {
  std::error_code failed;
  fs::create_directories(place.folder, failed);
  for (const auto& folder : {place.folder.parent_path(), place.folder})
    if (!failed) fs::permissions(folder, fs::perms::owner_all, failed);
  if (failed) return fail(errno_error(failed.value(), fmt::format("cannot make the folder {}", place.folder.string())));
  std::unique_ptr<SavedStates> out(new SavedStates(std::move(place)));
  out->look();
  return out;
}

void SavedStates::look() {
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator(place_.folder, gone)) {
    const std::string name = entry.path().filename();
    if (entry.path().extension() != kEnding || !name.starts_with(std::string_view(place_.key).substr(0, kKeyDigits))) continue;
    const auto file = os::open_regular_file(entry.path());
    if (!file) continue;
    auto opened = read_head(file->get());
    if (!opened)
      remove(name);
    else if (place_.key == std::string_view(opened->head.key.data(), opened->head.key.size()))
      states_.emplace(name, std::move(opened->origin));
  }
}

void SavedStates::remove(const std::string& name) {
  const std::lock_guard lock(mutex_);
  states_.erase(name);
  ::unlink((place_.folder / name).c_str());
}

std::optional<SavedStates::Match> SavedStates::best(std::span<const std::int32_t> tokens, std::string_view adapters) const {
  const std::lock_guard lock(mutex_);
  std::optional<Match> out;
  for (const auto& [name, state] : states_) {
    if (state.adapters != adapters) continue;
    const std::size_t common = common_prefix(state.tokens, tokens);
    if (common == 0 || (out && (common < out->common || (common == out->common && state.tokens.size() >= out->length)))) continue;
    out = Match{name, common, state.tokens.size()};
  }
  return out;
}

std::optional<SavedStates::Match> SavedStates::match(const std::string& name, std::span<const std::int32_t> tokens,
                                                     std::string_view adapters) const {
  const std::lock_guard lock(mutex_);
  const auto found = states_.find(name);
  if (found == states_.end() || found->second.adapters != adapters) return std::nullopt;
  return Match{name, common_prefix(found->second.tokens, tokens), found->second.tokens.size()};
}

bool SavedStates::has_others(const std::set<std::string>& names) const {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(states_, [&](const auto& entry) { return !names.contains(entry.first); });
}

std::optional<SavedStates::Match> SavedStates::covering(const StateOrigin& origin) const {
  const std::lock_guard lock(mutex_);
  std::optional<Match> out;
  for (const auto& [name, state] : states_) {
    if (state.adapters != origin.adapters) continue;
    const std::size_t common = common_prefix(state.tokens, origin.tokens);
    if (common != state.tokens.size() && common != origin.tokens.size()) continue;
    if (!out || common > out->common) out = Match{name, common, state.tokens.size()};
  }
  return out;
}

Result<> SavedStates::make_room(Bytes needed) const {
  if (needed > place_.limit)
    return fail(Code::too_large, fmt::format("a state of {} is beyond warm.disk = {}", format_bytes(needed), format_bytes(place_.limit)));
  auto files = states_below(place_.folder.parent_path());
  std::ranges::sort(files, {}, &FoundFile::used);
  std::uint64_t total = needed.count;
  for (const auto& file : files) total += file.size;
  for (const auto& file : files) {
    if (total <= place_.limit.count) break;
    ::unlink(file.path.c_str());
    total -= file.size;
  }
  return {};
}

Result<std::string> SavedStates::write(const StateOrigin& origin, std::span<const std::byte> state) const {
  FileHead head;
  put(head.key, place_.key);
  head.adapters = origin.adapters.size();
  head.tokens = origin.tokens.size();
  head.state = state.size();
  PUNA_CHECK(make_room(Bytes(sizeof(head) + head.adapters + head.tokens * sizeof(std::int32_t) + head.state)));

  os::Sha256 identity;
  identity.update(place_.key);
  identity.update(origin.adapters);
  identity.update(bytes_of(origin.tokens));
  PUNA_TRY(const auto digits, identity.hex());
  const std::string name = fmt::format("{:.{}}-{:.16}{}", place_.key, kKeyDigits, digits, kEnding);
  PUNA_TRY(auto file, os::AtomicFile::create(place_.folder / name));
  // The head holds the state's hash and is written last.
  if (::lseek(file.descriptor(), static_cast<off_t>(sizeof(head)), SEEK_SET) < 0)
    return fail(errno_error(errno, "cannot write a saved state"));
  PUNA_CHECK(file.write(origin.adapters));
  PUNA_CHECK(file.write(bytes_of(origin.tokens)));
  os::Sha256 hash;
  std::vector<std::byte> piece;
  for (std::size_t at = 0; at < state.size(); at += kPiece) {
    const auto bytes = state.subspan(at, std::min(kPiece, state.size() - at));
    piece.assign(bytes.begin(), bytes.end());
    if (place_.cipher) place_.cipher(piece, at);
    hash.update(piece);
    PUNA_CHECK(file.write(piece));
  }
  PUNA_TRY(const auto state_hash, hash.hex());
  put(head.state_hash, state_hash);
  PUNA_TRY(const auto hash_of_origin, origin_hash(head, origin));
  put(head.origin_hash, hash_of_origin);
  if (::lseek(file.descriptor(), 0, SEEK_SET) < 0) return fail(errno_error(errno, "cannot write a saved state"));
  PUNA_CHECK(file.write(bytes_of(head)));
  PUNA_CHECK(file.commit_unsynced());
  return name;
}

void SavedStates::note(const std::string& name, const StateOrigin& origin) {
  const std::lock_guard lock(mutex_);
  std::erase_if(states_, [&](const auto& entry) {
    const auto& [other, known] = entry;
    const bool surpassed =
        other != name && known.adapters == origin.adapters && common_prefix(known.tokens, origin.tokens) == known.tokens.size();
    if (surpassed) ::unlink((place_.folder / other).c_str());
    std::error_code unknown;
    return surpassed || !fs::exists(place_.folder / other, unknown);  // to make room, here or by another process
  });
  states_.insert_or_assign(name, origin);
}

Result<std::string> SavedStates::add(const StateOrigin& origin, const fs::path& state) {
  PUNA_TRY(const auto mapped, os::MappedFile::open(state));
  PUNA_TRY(auto name, write(origin, mapped.bytes()));
  note(name, origin);
  return name;
}

Result<os::MemoryFile> SavedStates::read(const std::string& name) {
  const auto drop = [&](Error error) {
    remove(name);
    return fail(std::move(error));
  };
  auto file = os::open_regular_file(place_.folder / name);
  if (!file) return drop(std::move(file).error());
  const auto opened = read_head(file->get());
  if (!opened) return drop(opened.error());
  PUNA_TRY(auto memory, os::MemoryFile::create());
  os::Sha256 hash;
  std::vector<std::byte> piece(kPiece);
  for (std::uint64_t at = 0; at < opened->head.state; at += kPiece) {
    const auto bytes = std::span(piece).first(static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, opened->head.state - at)));
    if (auto got = read_exactly(file->get(), reinterpret_cast<char*>(bytes.data()), bytes.size()); !got) return drop(got.error());
    hash.update(bytes);
    if (place_.cipher) place_.cipher(bytes, at);
    PUNA_CHECK(os::write_all(memory.descriptor(), {reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
  }
  PUNA_TRY(const auto digits, hash.hex());
  if (digits != std::string_view(opened->head.state_hash.data(), opened->head.state_hash.size())) return drop(torn().error());
  ::futimens(file->get(), nullptr);  // the order of use is the order of these times
  return memory;
}

}  // namespace puna::worker
