#include "adapter/merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "adapter/requantize.h"
#include "gguf/reader.h"
#include "gguf/writer.h"
#include "os/mapped_file.h"
#include "tune/arithmetic/floats.h"
#include "tune/arithmetic/gemm.h"
#include "tune/base_matrix.h"

namespace puna::adapter {
namespace {

constexpr std::size_t kSliceFloats = 1 << 22;

using Pairs = std::map<std::string_view, const tune::LoraPair*>;  // by tensor

Pairs pairs_of(const tune::Adapter& adapter) {
  Pairs out;
  for (const auto& pair : adapter.pairs()) out.emplace(pair.name, &pair);
  return out;
}

// llama.cpp's number of a file whose matrices are mostly of that type.
std::uint32_t file_type(gguf::TensorType type) {
  if (type == gguf::TensorType::f32) return 0;
  if (type == gguf::TensorType::bf16) return 32;
  if (type == gguf::TensorType::q8_0) return 7;
  return 1;
}

bool is_narrower(gguf::TensorType one, gguf::TensorType other) {
  const auto& a = gguf::traits(one);
  const auto& b = gguf::traits(other);
  return std::uint64_t{a.block_bytes} * b.block_elements < std::uint64_t{b.block_bytes} * a.block_elements;
}

// How a tensor that changes is stored.
gguf::TensorType stored_type(const MergeCall& call, gguf::TensorType in_base) {
  if (!call.type || (call.narrowing == Narrowing::refused && !is_narrower(in_base, *call.type))) return in_base;
  return *call.type;
}

double squared(std::span<const float> values) {
  double out = 0;
  for (const float value : values) out += static_cast<double>(value) * value;
  return out;
}

// One tensor that changes, in slices of its rows.
class ChangedTensor {
 public:
  ChangedTensor(const MergeCall& call, const tune::LoraPair& pair, gguf::TensorType type)
      : call_(call),
        weight_(call.model.layer(pair.layer).linear(pair.target).weight),
        pair_(pair),
        type_(type),
        step_(std::clamp<std::size_t>(kSliceFloats / pair.in, 1, pair.out)),
        merged_(step_ * pair.in),
        delta_(step_ * pair.in),
        row_bytes_(gguf::tensor_size(type, {pair.in})->count),
        written_(step_ * row_bytes_) {}

  Result<> write(const gguf::Writer::Emit& emit, const std::stop_token& stop) {
    for (std::size_t first = 0; first < weight_.out; first += step_) {
      if (stop.stop_requested()) return fail(Code::cancelled, "the merge was stopped");
      const std::size_t rows = std::min(step_, weight_.out - first);
      const auto bytes = std::span(written_).first(rows * row_bytes_);
      add(first, rows);
      write_rows(call_.team, type_, rows, weight_.in, merged_.data(), written_.data());
      PUNA_CHECK(emit(bytes));
      compare(rows);
    }
    return {};
  }
  [[nodiscard]] double change() const { return change_; }
  [[nodiscard]] double error() const { return error_; }

 private:
  void add(std::size_t first, std::size_t rows) {
    const auto delta = delta_.span().first(rows * weight_.in);
    tune::multiply(call_.team, {rows, pair_.in, pair_.rank, pair_.scale},
                   tune::rows_of(call_.adapter.b(pair_) + first * pair_.rank, pair_.rank), tune::rows_of(call_.adapter.a(pair_), pair_.in),
                   delta.data(), pair_.in);
    tune::read_rows(call_.team, weight_, first, rows, merged_.data());
    for (std::size_t i = 0; i < delta.size(); ++i) merged_.data()[i] += delta[i];
    change_ += squared(delta);
  }
  // What was written against what was meant; uses up both.
  void compare(std::size_t rows) {
    const tune::BaseMatrix stored{weight_.name, type_, weight_.in, rows, written_.data(), row_bytes_};
    const auto read = delta_.span().first(rows * weight_.in);
    tune::read_rows(call_.team, stored, 0, rows, read.data());
    for (std::size_t i = 0; i < read.size(); ++i) read[i] -= merged_.data()[i];
    error_ += squared(read);
  }

  const MergeCall& call_;
  const tune::BaseMatrix& weight_;
  const tune::LoraPair& pair_;
  gguf::TensorType type_;
  std::size_t step_;
  tune::Floats merged_;
  tune::Floats delta_;
  std::size_t row_bytes_;
  std::vector<std::byte> written_;
  double change_ = 0;
  double error_ = 0;
};

class Merge {
 public:
  Merge(const MergeCall& call, const Progress& progress, const std::stop_token& stop)
      : call_(call), progress_(progress), stop_(stop), pairs_(pairs_of(call.adapter)) {}

  Result<MergeOutcome> run(const std::filesystem::path& output) {
    for (const auto& file : call_.base) PUNA_CHECK(open(file));
    describe();
    for (std::size_t part = 0; part < headers_.size(); ++part)
      for (const auto& tensor : headers_[part].tensors()) PUNA_CHECK(declare(part, tensor));
    PUNA_CHECK(writer_.write(output));
    return MergeOutcome{pairs_.size(), change_ > 0 ? std::sqrt(error_ / change_) : 0};
  }

 private:
  Result<> open(const std::filesystem::path& file) {
    PUNA_TRY(auto header, gguf::Header::read_file(file));
    PUNA_TRY(auto mapping, os::MappedFile::open(file));
    for (const auto& tensor : header.tensors()) total_ += tensor.size;
    headers_.push_back(std::move(header));
    mappings_.push_back(std::move(mapping));
    return {};
  }
  void describe() {
    for (const auto& [key, value] : headers_.front().metadata())
      if (!key.starts_with("split.")) writer_.set(key, value);
    if (!call_.name.empty()) writer_.set("general.name", call_.name);
    if (!call_.type) return;
    writer_.set("general.file_type", file_type(*call_.type));
    writer_.set("general.quantization_version", std::uint32_t{2});
  }
  Result<> declare(std::size_t part, const gguf::TensorInfo& tensor) {
    const auto found = pairs_.find(tensor.name);
    const tune::LoraPair* pair = found == pairs_.end() ? nullptr : found->second;
    const auto type = pair != nullptr ? stored_type(call_, tensor.type) : tensor.type;
    if (pair != nullptr) {
      PUNA_CHECK(check_writable(type, tensor.name));
    }
    return writer_.add_tensor(tensor.name, type, tensor.shape, [=, this, &tensor](const gguf::Writer::Emit& emit) -> Result<> {
      if (stop_.stop_requested()) return fail(Code::cancelled, "the merge was stopped");
      const auto bytes = mappings_[part].bytes().subspan(headers_[part].data_offset() + tensor.offset, tensor.size.count);
      PUNA_CHECK(pair != nullptr ? change(*pair, type, emit) : emit(bytes));
      done_ += tensor.size;
      if (progress_) progress_(done_, total_);
      return {};
    });
  }
  Result<> change(const tune::LoraPair& pair, gguf::TensorType type, const gguf::Writer::Emit& emit) {
    ChangedTensor tensor(call_, pair, type);
    PUNA_CHECK(tensor.write(emit, stop_));
    change_ += tensor.change();
    error_ += tensor.error();
    return {};
  }

  const MergeCall& call_;
  const Progress& progress_;
  const std::stop_token& stop_;
  const Pairs pairs_;
  std::vector<gguf::Header> headers_;
  std::vector<os::MappedFile> mappings_;
  gguf::Writer writer_;
  Bytes done_;
  Bytes total_;
  double change_ = 0;
  double error_ = 0;
};

}  // namespace

Result<MergeOutcome> merge(const MergeCall& call, const std::filesystem::path& output, const Progress& progress,
                           const std::stop_token& stop) {
  return Merge(call, progress, stop).run(output);
}

bool would_widen(const MergeCall& call, gguf::TensorType type) {
  return std::ranges::any_of(call.adapter.pairs(), [&](const tune::LoraPair& pair) {
    return is_narrower(call.model.layer(pair.layer).linear(pair.target).weight.type, type);
  });
}

}  // namespace puna::adapter
