#include <fmt/format.h>
#include <zlib.h>

#include "dataset/source_file.h"

namespace puna::dataset {
namespace {

constexpr std::size_t kPiece = 128 << 10;

class Inflation {
 public:
  Inflation() { ready_ = ::inflateInit2(&stream_, 15 + 16) == Z_OK; }  // +16: gzip's frame
  Inflation(const Inflation&) = delete;
  Inflation& operator=(const Inflation&) = delete;
  ~Inflation() { ::inflateEnd(&stream_); }

  [[nodiscard]] bool ready() const { return ready_; }
  [[nodiscard]] z_stream& stream() { return stream_; }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

Error damaged(const z_stream& stream) {
  return {Code::corrupt_data, fmt::format("damaged gzip data ({})", stream.msg ? stream.msg : "broken frame")};
}

}  // namespace

Result<> gunzip(const std::function<Result<std::size_t>(char* into, std::size_t size)>& read,
                const std::function<Result<>(std::string_view)>& write, Bytes most, const std::stop_token& stop) {
  Inflation inflation;
  if (!inflation.ready()) return fail(Code::out_of_memory, "no memory to unpack gzip data");
  z_stream& stream = inflation.stream();
  std::string in(kPiece, '\0'), out(kPiece, '\0');
  std::uint64_t written = 0;
  bool member_ended = false;
  bool more_inside = false;  // the last call filled all of `out`
  while (true) {
    if (stop.stop_requested()) return fail(Code::cancelled, "stopped while unpacking");
    if (stream.avail_in == 0 && !more_inside) {
      PUNA_TRY(const std::size_t got, read(in.data(), in.size()));
      if (got == 0) break;
      stream.next_in = reinterpret_cast<Bytef*>(in.data());
      stream.avail_in = static_cast<uInt>(got);
    }
    if (member_ended) {
      // Padding with zeros is usual behind the last member; more than that must be another one.
      while (stream.avail_in > 0 && *stream.next_in == 0) ++stream.next_in, --stream.avail_in;
      if (stream.avail_in == 0) continue;
      if (::inflateReset(&stream) != Z_OK) return fail(damaged(stream));
      member_ended = false;
    }
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int outcome = ::inflate(&stream, Z_NO_FLUSH);
    if (outcome != Z_OK && outcome != Z_STREAM_END && outcome != Z_BUF_ERROR) return fail(damaged(stream));
    const std::size_t made = out.size() - stream.avail_out;
    written += made;
    if (written > most.count) return fail(Code::too_large, "unpacks to more than " + format_bytes(most));
    PUNA_CHECK(write(std::string_view(out.data(), made)));
    member_ended = outcome == Z_STREAM_END;
    more_inside = stream.avail_out == 0 && !member_ended;
  }
  if (!member_ended) return fail(Code::corrupt_data, "the gzip data is cut off");
  return {};
}

}  // namespace puna::dataset
