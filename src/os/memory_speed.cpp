#include "os/memory_speed.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "os/hardware.h"

namespace puna::os {
namespace {

using std::chrono::steady_clock;

constexpr Bytes kBuffer = mib(512);
constexpr Bytes kLeastOfThread = mib(8);
constexpr Bytes kLeastBuffer = mib(32);
constexpr std::size_t kBlock = 1U << 20U;  // between two looks at the clock
constexpr std::size_t kLane = 8;           // words that are added side by side

struct Unmap {
  std::size_t size = 0;
  void operator()(std::byte* memory) const { ::munmap(memory, size); }
};
using Buffer = std::unique_ptr<std::byte, Unmap>;

Buffer map_buffer(Bytes size) {
  void* memory = ::mmap(nullptr, size.count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return Buffer(nullptr, Unmap{0});
  return {static_cast<std::byte*>(memory), Unmap{size.count}};
}

std::uint64_t sum_of(std::span<const std::uint64_t> words) {
  std::array<std::uint64_t, kLane> lanes{};
  for (std::size_t i = 0; i + kLane <= words.size(); i += kLane)
    for (std::size_t lane = 0; lane < kLane; ++lane) lanes[lane] += words[i + lane];
  std::uint64_t out = 0;
  for (const auto lane : lanes) out += lane;
  return out;
}

struct Share {
  std::uint64_t read = 0;
  std::uint64_t sum = 0;  // kept, so that no compiler leaves the reading out
};

void read_share(std::span<std::byte> part, steady_clock::time_point until, const std::stop_token& stop, Share& out) {
  const std::span<const std::uint64_t> words(reinterpret_cast<const std::uint64_t*>(part.data()), part.size() / sizeof(std::uint64_t));
  constexpr std::size_t kWords = kBlock / sizeof(std::uint64_t);
  for (std::size_t at = 0; steady_clock::now() < until && !stop.stop_requested(); at = at + 2 * kWords > words.size() ? 0 : at + kWords) {
    out.sum += sum_of(words.subspan(at, std::min(kWords, words.size() - at)));
    out.read += std::min(kWords, words.size() - at) * sizeof(std::uint64_t);
  }
}

// A page that nobody has written is the same page of zeros for all: each thread writes its own part first.
void touch(std::span<std::byte> part) {
  constexpr std::size_t kPage = 4096;
  for (std::size_t at = 0; at < part.size(); at += kPage) part[at] = std::byte(at / kPage);
}

}  // namespace

MemorySpeed measure_memory_speed(Milliseconds duration, const std::stop_token& stop) {
  const auto hardware = probe_hardware();
  MemorySpeed out{.threads = std::max(hardware.usable_cores, 1U)};
  const Bytes wanted = std::max(kBuffer, Bytes(kLeastOfThread.count * out.threads));
  const Bytes size = std::min(wanted, Bytes(hardware.memory_available_bytes / 8));
  if (size < kLeastBuffer || size.count / out.threads < kBlock) return out;
  const Buffer buffer = map_buffer(size);
  if (!buffer) return out;
  out.buffer = size;
  const std::size_t part = size.count / out.threads / kBlock * kBlock;
  std::vector<Share> shares(out.threads);
  steady_clock::time_point begun;
  {
    std::vector<std::jthread> threads;
    std::atomic<std::uint32_t> touched = 0;
    const auto begin_together = [&] {
      if (touched.fetch_add(1) + 1 == out.threads) touched.notify_all();
      for (auto seen = touched.load(); seen < out.threads; seen = touched.load()) touched.wait(seen);
    };
    begun = steady_clock::now();
    for (std::uint32_t i = 0; i < out.threads; ++i)
      threads.emplace_back([&, mine = std::span(buffer.get() + i * part, part), i] {
        touch(mine);
        begin_together();
        if (i == 0) begun = steady_clock::now();
        read_share(mine, steady_clock::now() + duration, stop, shares[i]);
      });
  }
  const std::chrono::duration<double> took = steady_clock::now() - begun;
  std::uint64_t read = 0;
  for (const auto& share : shares) read += share.read;
  out.bytes_per_second = static_cast<double>(read) / took.count();
  return out;
}

}  // namespace puna::os
