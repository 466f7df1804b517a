#include "tune/offload/placement.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/text.h"
#include "ggml-alloc.h"
#include "ggml-backend.h"
#include "ggml-cpp.h"
#include "tune/offload/device_tensors.h"

namespace puna::tune {
namespace {

constexpr std::uint64_t kMarginPart = 16;  // of a device's memory that is left to drivers and libraries

// The weights of a group share their input: one upload of it serves all.
struct Candidate {
  const BaseMatrix* matrix;
  std::size_t group;
  std::size_t tokens;

  // Work for each number that travels: what a device is better at, the larger it is.
  [[nodiscard]] double gain() const {
    return static_cast<double>(matrix->in) * static_cast<double>(matrix->out) / static_cast<double>(matrix->in + matrix->out);
  }
};

std::size_t group_in_layer(Target target) {
  switch (target) {
    case Target::attn_q:
    case Target::attn_k:
    case Target::attn_v:
    case Target::attn_qkv:
      return 0;
    case Target::attn_output:
      return 1;
    case Target::ffn_gate:
    case Target::ffn_up:
    case Target::ffn_gate_up:
      return 2;
    case Target::ffn_down:
      break;
  }
  return 3;
}

std::vector<Candidate> candidates_of(const Model& model, const PlacementOptions& options) {
  constexpr std::size_t kGroupsInLayer = 4;
  std::vector<Candidate> out;
  const std::size_t layers = model.shape().layers;
  for (std::size_t layer = 0; layer < layers; ++layer)
    for (const auto& names : model.targets())
      out.push_back(
          {&model.layer(layer).linear(names.target).weight, layer * kGroupsInLayer + group_in_layer(names.target), options.tokens});
  out.push_back({&model.head(), layers * kGroupsInLayer, options.head_tokens});
  std::ranges::sort(out, {}, [](const Candidate& what) { return std::tuple(-what.gain(), what.group, what.matrix->name); });
  return out;
}

// As ggml sees a weight that is on the device, without its being there.
class Judge {
 public:
  Judge(const Device& device, const PlacementOptions& options)
      : device_(device), options_(options), buffer_(ggml_backend_dev_buffer_type(device.handle)) {}

  [[nodiscard]] std::string refusal(const Candidate& what, WayBack way) const {
    const DeviceTensors tensors(std::span(&what.matrix, 1), options_.precision, device_.handle);
    auto* weight = tensors[0];
    if (way == WayBack::none) return DeviceGraph::forward(std::span(&weight, 1), what.tokens, slice()).refused_by(device_.handle);
    const std::array terms{DeviceGraph::Term{weight, way}, DeviceGraph::Term{weight, way}};  // two: their sum is asked for, too
    return DeviceGraph::backward(terms, what.tokens, slice()).refused_by(device_.handle);
  }
  [[nodiscard]] Bytes size(const BaseMatrix* matrix) const {
    const DeviceTensors tensors(std::span(&matrix, 1), options_.precision, device_.handle);
    return Bytes(ggml_backend_buft_get_alloc_size(buffer_, tensors[0]));
  }
  [[nodiscard]] Bytes largest() const { return Bytes(ggml_backend_buft_get_max_size(buffer_)); }

 private:
  [[nodiscard]] std::size_t slice() const { return options_.slice.count; }

  const Device& device_;
  const PlacementOptions& options_;
  ggml_backend_buffer_type_t buffer_;
};

std::string lacks(const Device& device, const std::string& operation, Precision precision) {
  return fmt::format("{} has no {} for weights in {}", device.name, operation, precision == Precision::bf16 ? "bf16" : "f32");
}

// Bytes that weights and working memory may take.
Bytes room_of(const Device& device) {
  if (device.memory_total.count == 0) return Bytes(UINT64_MAX);
  const std::uint64_t margin = device.memory_total.count / kMarginPart;
  return Bytes(device.memory_free.count - std::min(device.memory_free.count, margin));
}

// "0 to 3, 7"
std::string ranges_of(const std::set<std::size_t>& numbers) {
  std::vector<std::string> out;
  for (auto at = numbers.begin(); at != numbers.end();) {
    const std::size_t first = *at;
    std::size_t last = first;
    while (++at != numbers.end() && *at == last + 1) last = *at;
    out.push_back(first == last ? fmt::format("{}", first) : fmt::format("{} to {}", first, last));
  }
  return join(out, ", ");
}

// "blk.3.attn_q.weight" by layer and the rest.
std::string names_of(const std::vector<const BaseMatrix*>& matrices) {
  std::map<std::string, std::set<std::size_t>> layers;
  std::vector<std::string> out;
  for (const auto* matrix : matrices) {
    const auto parts = split(matrix->name, '.');
    if (parts.size() == 4 && parts[0] == "blk")
      layers[std::string(parts[2])].insert(std::stoul(std::string(parts[1])));
    else
      out.emplace_back(parts[0]);
  }
  std::map<std::string, std::vector<std::string>> by_ranges;
  for (const auto& [name, where] : layers) by_ranges[ranges_of(where)].push_back(name);
  for (const auto& [ranges, names] : by_ranges) out.push_back(fmt::format("{} of layers {}", join(names, ", "), ranges));
  return join(out, "; ");
}

// Beside the weights: for the largest group, what its graph needs, and as much again of what goes in and out, with copies of a slice: that
// is what backends convert to other types.
Bytes working_memory(const Placement& placement) {
  std::vector<const BaseMatrix*> matrices;
  std::size_t largest = 0;
  for (const auto& weight : placement.weights) {
    matrices.push_back(weight.matrix);
    largest = std::max(largest, static_cast<std::size_t>(weight.bytes.count));
  }
  const DeviceTensors tensors(matrices, placement.options.precision, placement.device.handle);
  const ggml_gallocr_ptr allocator(ggml_gallocr_new(ggml_backend_dev_buffer_type(placement.device.handle)));
  std::size_t most = 0;
  for (const auto& graph : largest_graphs(placement, tensors)) {
    std::size_t bytes = 0;
    ggml_gallocr_reserve_n_size(allocator.get(), graph.get(), nullptr, nullptr, &bytes);
    most = std::max(most, bytes + graph.travelling());
  }
  const bool converts = placement.options.precision == Precision::bf16;
  return Bytes(most + (converts ? 2 * std::min<std::size_t>(largest, placement.options.slice.count) : 0));
}

// Leaves to the CPU what there is no memory for.
void fit(Placement& placement, Bytes room, Bytes largest) {
  const bool is_wide = placement.options.precision == Precision::f32;
  const auto reason = fmt::format("no room on {}, of which {} may be taken{}", placement.device.name, format_bytes(room),
                                  is_wide ? "; in precision bf16 weights take half" : "");
  placement.working = working_memory(placement);
  std::uint64_t taken = placement.working.count;
  std::vector<Placement::Weight> kept;
  for (const auto& weight : placement.weights) {
    const bool fits = weight.bytes <= largest && taken <= room.count && weight.bytes.count <= room.count - taken;
    if (fits) {
      taken += weight.bytes.count;
      kept.push_back(weight);
    } else {
      placement.left.push_back({weight.matrix, Placement::Way::both, reason});
    }
  }
  placement.weights = std::move(kept);
}

constexpr std::string_view kBothWays = "products with weights";
constexpr std::string_view kForward = "products with weights, forward";
constexpr std::string_view kBackward = "products with weights, backward";

}  // namespace

Bytes Placement::memory() const {
  Bytes out = weights.empty() ? Bytes() : working;
  for (const auto& weight : weights) out = out + weight.bytes;
  return out;
}

Placement place(const Model& model, const Device& device, const PlacementOptions& options) {
  Placement out{.device = device, .options = options, .weights = {}, .left = {}, .working = {}};
  const Judge judge(device, options);
  const auto leave = [&](const Candidate& what, Placement::Way way, std::string reason) {
    out.left.push_back({what.matrix, way, std::move(reason)});
  };
  for (const auto& what : candidates_of(model, options)) {
    if (const auto refused = judge.refusal(what, WayBack::none); !refused.empty()) {
      leave(what, Placement::Way::both, lacks(device, refused, options.precision));
      continue;
    }
    Placement::Weight weight{what.matrix, WayBack::direct, what.group, what.tokens, judge.size(what.matrix)};
    // No backend has OUT_PROD for bfloat16, and ggml's RPC claims to have everything.
    if (options.precision != Precision::f32 || !judge.refusal(what, WayBack::direct).empty()) {
      const auto refused = judge.refusal(what, WayBack::by_copy);
      weight.back = refused.empty() ? WayBack::by_copy : WayBack::none;
      if (!refused.empty()) leave(what, Placement::Way::backward, lacks(device, refused, options.precision));
    }
    out.weights.push_back(weight);
  }
  fit(out, room_of(device), judge.largest());
  return out;
}

std::vector<Work> work_of(const Placement& placement) {
  // By whether it is left to the CPU, operation and reason.
  std::map<std::tuple<bool, std::string_view, std::string>, std::vector<const BaseMatrix*>> lines;
  for (const auto& weight : placement.weights)
    lines[{false, weight.back == WayBack::none ? kForward : kBothWays, ""}].push_back(weight.matrix);
  for (const auto& one : placement.left)
    lines[{true, one.way == Placement::Way::both ? kBothWays : kBackward, one.reason}].push_back(one.matrix);
  std::vector<Work> out;
  for (const auto& [key, matrices] : lines) {
    const auto& [is_left, operation, reason] = key;
    out.push_back({std::string(operation), is_left ? "CPU" : placement.device.name, names_of(matrices), reason});
  }
  out.push_back({"the adapter's own products, dropout", "CPU", "A and B of each pair", "thin, and they change with each step"});
  out.push_back({"embedding, norms, rotation, attention, activation, loss", "CPU", "", "the trainer has them for the CPU only"});
  out.push_back({"optimizer", "CPU", "A and B of each pair", "milliseconds a step"});
  return out;
}

}  // namespace puna::tune
