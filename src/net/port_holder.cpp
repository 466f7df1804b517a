#include "net/port_holder.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/text.h"

namespace puna::net {

namespace {

// The inodes of listening sockets, as "socket:[123]". A line of /proc/net/tcp reads
// "sl local_address:port rem_address st tx:rx tr:when retrnsmt uid timeout inode …", in hexadecimal; state 0A is listening.
std::set<std::string> listening_sockets(const char* table, std::uint16_t port) {
  std::set<std::string> sockets;
  std::ifstream lines(table);
  const auto wanted = fmt::format(":{:04X}", port);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
    words >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >> inode;
    if (local.ends_with(wanted) && state == "0A") sockets.insert("socket:[" + inode + "]");
  }
  return sockets;
}

bool holds_one_of(const std::filesystem::path& descriptors, const std::set<std::string>& sockets) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(descriptors, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code gone;  // descriptors come and go while we look
    if (sockets.contains(std::filesystem::read_symlink(entry->path(), gone).string())) return true;
  }
  return false;
}

}  // namespace

std::optional<PortHolder> find_port_holder(std::uint16_t port) {
  auto sockets = listening_sockets("/proc/net/tcp", port);
  sockets.merge(listening_sockets("/proc/net/tcp6", port));
  if (sockets.empty()) return std::nullopt;
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc", error), end; !error && entry != end; entry.increment(error)) {
    const auto text = entry->path().filename().string();
    PortHolder holder;
    const auto [rest, bad] = std::from_chars(text.data(), text.data() + text.size(), holder.pid);
    if (bad != std::errc() || rest != text.data() + text.size() || !holds_one_of(entry->path() / "fd", sockets)) continue;
    std::ifstream(entry->path() / "comm") >> holder.name;
    return holder;
  }
  return std::nullopt;
}

}  // namespace puna::net
