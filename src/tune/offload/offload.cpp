#include "tune/offload/offload.h"

#include <fmt/format.h>

#include <map>

#include "ggml-alloc.h"
#include "ggml-backend.h"
#include "ggml-cpp.h"
#include "ggml.h"
#include "tune/offload/device_tensors.h"

namespace puna::tune {
namespace {

std::vector<const BaseMatrix*> matrices_of(const Placement& placement) {
  std::vector<const BaseMatrix*> out;
  for (const auto& weight : placement.weights) out.push_back(weight.matrix);
  return out;
}

// Backends that compute with threads of the CPU are told how many.
void set_threads(ggml_backend_t backend, std::size_t threads) {
  auto* reg = ggml_backend_dev_backend_reg(ggml_backend_get_device(backend));
  if (reg == nullptr) return;
  auto* set = reinterpret_cast<ggml_backend_set_n_threads_t>(ggml_backend_reg_get_proc_address(reg, "ggml_backend_set_n_threads"));
  if (set != nullptr) set(backend, static_cast<int>(threads));
}

Error failure_of(const Device& device) {
  return {Code::upstream_failed, fmt::format("{} ({}) failed in the middle of a product; the log may say more. Go on from the last "
                                             "checkpoint, or begin again with device cpu",
                                             device.name, device.description)};
}

}  // namespace

// What lies on the device, and what computes there.
class Offload::Engine {
 public:
  Engine(Placement& placement, Team& team)
      : backend_(ggml_backend_dev_init(placement.device.handle, nullptr)),
        tensors_(matrices_of(placement), placement.options.precision, placement.device.handle),
        slice_(placement.options.slice.count) {
    if (backend_) set_threads(backend_.get(), team.size());
  }
  [[nodiscard]] bool started() const { return backend_ != nullptr; }

  // Memory for the largest of all products, so that later ones take no more.
  [[nodiscard]] bool reserve(const Placement& placement) {
    allocator_.reset(ggml_gallocr_new(ggml_backend_get_default_buffer_type(backend_.get())));
    for (const auto& graph : largest_graphs(placement, tensors_))
      if (!ggml_gallocr_reserve(allocator_.get(), graph.get())) return false;
    return true;
  }
  // Of the weights in their order, how many the device took.
  [[nodiscard]] std::size_t upload(const Placement& placement, Team& team) {
    for (std::size_t i = 0; i < placement.weights.size(); ++i) {
      if (!tensors_.upload(i, team)) return i;
      places_[placement.weights[i].matrix->data] = {tensors_[i], placement.weights[i].back};
    }
    return placement.weights.size();
  }

  [[nodiscard]] const DeviceGraph::Term* find(const BaseMatrix& weight) const {
    const auto found = places_.find(weight.data);
    return found == places_.end() ? nullptr : &found->second;
  }

  [[nodiscard]] bool multiply(std::span<const Product> products, const float* x, std::size_t tokens) {
    std::vector<ggml_tensor*> weights;
    for (const auto& product : products) weights.push_back(find(*product.weight)->weight);
    const auto graph = DeviceGraph::forward(weights, tokens, slice_);
    if (!ggml_gallocr_alloc_graph(allocator_.get(), graph.get())) return false;
    ggml_backend_tensor_set(graph.inputs()[0], x, 0, ggml_nbytes(graph.inputs()[0]));
    if (!compute(graph)) return false;
    for (const auto& part : graph.parts()) fetch(part, products[part.result].y);
    return true;
  }

  [[nodiscard]] bool multiply_back(std::span<const Gradient> gradients, float* d_x, std::size_t tokens) {
    std::vector<DeviceGraph::Term> terms;
    for (const auto& gradient : gradients) terms.push_back(*find(*gradient.weight));
    const auto graph = DeviceGraph::backward(terms, tokens, slice_);
    if (!ggml_gallocr_alloc_graph(allocator_.get(), graph.get())) return false;
    for (std::size_t i = 0; i < gradients.size(); ++i)
      ggml_backend_tensor_set(graph.inputs()[i], gradients[i].d_y, 0, ggml_nbytes(graph.inputs()[i]));
    if (!compute(graph)) return false;
    for (const auto& part : graph.parts()) fetch(part, d_x);
    return true;
  }

 private:
  [[nodiscard]] bool compute(const DeviceGraph& graph) {
    return ggml_backend_graph_compute(backend_.get(), graph.get()) == GGML_STATUS_SUCCESS;
  }

  // A slice of a result's columns to its place.
  static void fetch(const DeviceGraph::Part& part, float* to) {
    const auto columns = static_cast<std::size_t>(part.tensor->ne[0]);
    const auto rows = static_cast<std::size_t>(part.tensor->ne[1]);
    if (columns == part.columns)
      ggml_backend_tensor_get(part.tensor, to, 0, ggml_nbytes(part.tensor));
    else
      ggml_backend_tensor_get_2d(part.tensor, to + part.first, 0, columns * sizeof(float), rows, columns * sizeof(float),
                                 part.columns * sizeof(float));
  }

  ggml_backend_ptr backend_;  // goes last
  DeviceTensors tensors_;
  ggml_gallocr_ptr allocator_;
  std::map<const std::byte*, DeviceGraph::Term> places_;  // by where the file has the weight
  std::size_t slice_;
};

Offload::Offload(Placement placement, Team& team) : placement_(std::move(placement)) {
  if (placement_.weights.empty()) return;
  const auto& name = placement_.device.name;
  std::string reason;
  std::size_t kept = 0;
  engine_ = std::make_unique<Engine>(placement_, team);
  if (!engine_->started())
    reason = fmt::format("{} did not start", name);
  else if (!engine_->reserve(placement_))
    reason = fmt::format("{} refused {} to work in", name, format_bytes(placement_.working));
  else if (kept = engine_->upload(placement_, team); kept < placement_.weights.size())
    reason = fmt::format("{} refused more memory", name);
  if (reason.empty()) return;
  for (const auto& weight : std::span(placement_.weights).subspan(kept))
    placement_.left.push_back({weight.matrix, Placement::Way::both, reason});
  notes_.push_back(fmt::format("{}: the CPU takes {} of {} weights", reason, placement_.weights.size() - kept, placement_.weights.size()));
  placement_.weights.resize(kept);
  if (kept == 0) engine_.reset();
}

Offload::~Offload() = default;

bool Offload::takes(const BaseMatrix& weight) const {
  return engine_ && engine_->find(weight) != nullptr;
}

bool Offload::takes_back(const BaseMatrix& weight) const {
  const auto* term = engine_ ? engine_->find(weight) : nullptr;
  return term != nullptr && term->way != WayBack::none;
}

void Offload::multiply(std::span<const Product> products, const float* x, std::size_t tokens) {
  if (!failure_ && !engine_->multiply(products, x, tokens)) failure_ = failure_of(placement_.device);
}

void Offload::multiply_back(std::span<const Gradient> gradients, float* d_x, std::size_t tokens) {
  if (!failure_ && !engine_->multiply_back(gradients, d_x, tokens)) failure_ = failure_of(placement_.device);
}

Result<> Offload::status() const {
  if (failure_) return fail(*failure_);
  return {};
}

}  // namespace puna::tune
