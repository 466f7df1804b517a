#include "tune/offload/device_graph.h"

#include <algorithm>

#include "ggml-backend.h"
#include "ggml.h"

namespace puna::tune {
namespace {

constexpr std::size_t kColumnsTogether = 64;  // so that slices begin where backends like it

std::size_t size_of(std::int64_t extent) {
  return static_cast<std::size_t>(extent);
}

// Lines of `line_bytes` in a slice of all `whole`: even ones.
std::size_t slice_lines(std::size_t whole, std::size_t line_bytes, std::size_t slice) {
  const std::size_t slices = std::max<std::size_t>(1, (whole * line_bytes + slice - 1) / slice);
  const std::size_t lines = (whole + slices - 1) / slices;
  return std::min(whole, (lines + kColumnsTogether - 1) / kColumnsTogether * kColumnsTogether);
}

ggml_tensor* columns_of(ggml_context* context, ggml_tensor* weight, std::size_t first, std::size_t count) {
  if (count == size_of(weight->ne[0])) return weight;
  return ggml_view_2d(context, weight, static_cast<std::int64_t>(count), weight->ne[1], weight->nb[1], first * weight->nb[0]);
}

ggml_tensor* rows_of_weight(ggml_context* context, ggml_tensor* weight, std::size_t first, std::size_t count) {
  if (count == size_of(weight->ne[1])) return weight;
  return ggml_view_2d(context, weight, weight->ne[0], static_cast<std::int64_t>(count), weight->nb[1], first * weight->nb[1]);
}

}  // namespace

void DeviceGraph::Free::operator()(ggml_context* context) const {
  ggml_free(context);
}

DeviceGraph::DeviceGraph(std::size_t tensors)
    : context_(ggml_init({.mem_size = tensors * ggml_tensor_overhead() + ggml_graph_overhead_custom(tensors, false),
                          .mem_buffer = nullptr,
                          .no_alloc = true})),
      graph_(ggml_new_graph_custom(context_.get(), tensors, false)) {}

ggml_tensor* DeviceGraph::input(std::size_t width, std::size_t tokens) {
  auto* out = ggml_new_tensor_2d(context_.get(), GGML_TYPE_F32, static_cast<std::int64_t>(width), static_cast<std::int64_t>(tokens));
  ggml_set_input(out);
  inputs_.push_back(out);
  return out;
}

void DeviceGraph::add_part(std::size_t result, std::size_t first, std::size_t columns, ggml_tensor* tensor) {
  ggml_set_output(tensor);
  ggml_build_forward_expand(graph_, tensor);
  parts_.push_back({result, first, columns, tensor});
}

DeviceGraph DeviceGraph::forward(std::span<ggml_tensor* const> weights, std::size_t tokens, std::size_t slice) {
  std::size_t slices = 0;
  for (const auto* weight : weights) slices += 2 + ggml_nbytes(weight) / slice;
  DeviceGraph out(16 + 4 * slices);
  auto* x = out.input(size_of(weights.front()->ne[0]), tokens);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::size_t rows = size_of(weights[i]->ne[1]);
    const std::size_t step = slice_lines(rows, weights[i]->nb[1], slice);
    for (std::size_t first = 0; first < rows; first += step) {
      auto* some = rows_of_weight(out.context_.get(), weights[i], first, std::min(step, rows - first));
      out.add_part(i, first, rows, ggml_mul_mat(out.context_.get(), some, x));
    }
  }
  return out;
}

DeviceGraph DeviceGraph::backward(std::span<const Term> terms, std::size_t tokens, std::size_t slice) {
  const std::size_t in = size_of(terms.front().weight->ne[0]);
  std::size_t step = in;
  for (const auto& [weight, way] : terms)
    if (way == WayBack::by_copy) step = std::min(step, slice_lines(in, size_of(weight->ne[1]) * weight->nb[0], slice));
  DeviceGraph out(16 + 8 * terms.size() * (in / step + 1));
  auto* context = out.context_.get();
  for (const auto& term : terms) out.input(size_of(term.weight->ne[1]), tokens);
  for (std::size_t first = 0; first < in; first += step) {
    ggml_tensor* sum = nullptr;
    for (std::size_t i = 0; i < terms.size(); ++i) {
      auto* some = columns_of(context, terms[i].weight, first, std::min(step, in - first));
      auto* d_y = out.inputs_[i];
      auto* product = terms[i].way == WayBack::direct ? ggml_out_prod(context, some, ggml_transpose(context, d_y))
                                                      : ggml_mul_mat(context, ggml_cont(context, ggml_transpose(context, some)), d_y);
      sum = sum == nullptr ? product : ggml_add(context, sum, product);
    }
    out.add_part(0, first, in, sum);
  }
  return out;
}

std::string DeviceGraph::refused_by(ggml_backend_device* device) const {
  for (int i = 0; i < ggml_graph_n_nodes(graph_); ++i) {
    const auto* node = ggml_graph_node(graph_, i);
    if (!ggml_backend_dev_supports_op(device, node)) return ggml_op_desc(node);
  }
  return {};
}

std::size_t DeviceGraph::travelling() const {
  std::size_t out = 0;
  for (const auto* tensor : inputs_) out += ggml_nbytes(tensor);
  for (const auto& part : parts_) out += ggml_nbytes(part.tensor);
  return out;
}

}  // namespace puna::tune
