#include "tune/offload/device_tensors.h"

#include <algorithm>
#include <map>

#include "ggml-alloc.h"
#include "ggml-backend.h"
#include "ggml.h"
#include "tune/offload/placement.h"

namespace puna::tune {
namespace {

constexpr std::size_t kUploadFloats = 1 << 22;  // widened together

}  // namespace

void DeviceTensors::FreeContext::operator()(ggml_context* context) const {
  ggml_free(context);
}
void DeviceTensors::FreeBuffer::operator()(ggml_backend_buffer* buffer) const {
  ggml_backend_buffer_free(buffer);
}

DeviceTensors::DeviceTensors(std::span<const BaseMatrix* const> matrices, Precision precision, ggml_backend_device* device)
    : matrices_(matrices.begin(), matrices.end()),
      device_(device),
      nowhere_(ggml_backend_buft_alloc_buffer(ggml_backend_dev_buffer_type(device), 0)),
      context_(ggml_init({.mem_size = (matrices.size() + 1) * ggml_tensor_overhead(), .mem_buffer = nullptr, .no_alloc = true})) {
  const auto type = precision == Precision::bf16 ? GGML_TYPE_BF16 : GGML_TYPE_F32;
  for (const auto* matrix : matrices_) {
    auto* tensor = ggml_new_tensor_2d(context_.get(), type, static_cast<std::int64_t>(matrix->in), static_cast<std::int64_t>(matrix->out));
    ggml_set_name(tensor, matrix->name.c_str());
    tensor->buffer = nowhere_.get();
    tensors_.push_back(tensor);
  }
}

bool DeviceTensors::upload(std::size_t index, Team& team) {
  auto* tensor = tensors_[index];
  const BaseMatrix& matrix = *matrices_[index];
  auto* type = ggml_backend_dev_buffer_type(device_);
  std::unique_ptr<ggml_backend_buffer, FreeBuffer> buffer(
      ggml_backend_buft_alloc_buffer(type, ggml_backend_buft_get_alloc_size(type, tensor)));
  if (!buffer) return false;
  ggml_backend_buffer_set_usage(buffer.get(), GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
  tensor->buffer = nullptr;
  if (ggml_backend_tensor_alloc(buffer.get(), tensor, ggml_backend_buffer_get_base(buffer.get())) != GGML_STATUS_SUCCESS) return false;
  const std::size_t step = std::clamp<std::size_t>(kUploadFloats / matrix.in, 1, matrix.out);
  Floats widened(step * matrix.in);
  std::vector<ggml_bf16_t> rounded(tensor->type == GGML_TYPE_BF16 ? widened.size() : 0);
  for (std::size_t first = 0; first < matrix.out; first += step) {
    const std::size_t rows = std::min(step, matrix.out - first);
    read_rows(team, matrix, first, rows, widened.data());
    const void* bytes = widened.data();
    if (!rounded.empty()) {
      ggml_fp32_to_bf16_row(widened.data(), rounded.data(), static_cast<std::int64_t>(rows * matrix.in));
      bytes = rounded.data();
    }
    ggml_backend_tensor_set(tensor, bytes, first * tensor->nb[1], rows * tensor->nb[1]);
  }
  buffers_.push_back(std::move(buffer));
  return true;
}

std::vector<DeviceGraph> largest_graphs(const Placement& placement, const DeviceTensors& tensors) {
  struct Group {
    std::vector<ggml_tensor*> weights;
    std::vector<DeviceGraph::Term> terms;
    std::size_t tokens = 0;
  };
  std::map<std::size_t, Group> groups;
  for (std::size_t i = 0; i < placement.weights.size(); ++i) {
    const auto& weight = placement.weights[i];
    auto& group = groups[weight.group];
    group.weights.push_back(tensors[i]);
    if (weight.back != WayBack::none) group.terms.push_back({tensors[i], weight.back});
    group.tokens = std::max(group.tokens, weight.tokens);
  }
  std::vector<DeviceGraph> out;
  for (const auto& [number, group] : groups) {
    out.push_back(DeviceGraph::forward(group.weights, group.tokens, placement.options.slice.count));
    if (!group.terms.empty()) out.push_back(DeviceGraph::backward(group.terms, group.tokens, placement.options.slice.count));
  }
  return out;
}

}  // namespace puna::tune
