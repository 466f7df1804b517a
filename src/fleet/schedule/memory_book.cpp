#include "fleet/schedule/memory_book.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/version.h"
#include "os/sha256.h"

namespace puna::fleet {
namespace {

// Other programs' models are known by nothing better than place, size and time.
void add_file(std::string& to, const std::filesystem::path& file) {
  std::error_code absent;
  const auto size = std::filesystem::file_size(file, absent);
  const auto written = std::filesystem::last_write_time(file, absent);
  to += fmt::format("{}|{}|{};", file.string(), absent ? 0 : size, absent ? 0 : written.time_since_epoch().count());
}

// Everything that decides about memory.
std::string print_of(const Launch& launch, Purpose purpose, const FleetOptions& options) {
  const auto& engine = launch.engine;
  std::string text = fmt::format("{};{};{};{};", version(), llama_cpp_version(), static_cast<int>(launch.kind), json::enum_name(purpose));
  for (const auto& file : launch.loaded()) add_file(text, file);
  text += fmt::format("{};{};{};{};{};", engine.context.value_or(options.context_length), engine.slots.value_or(options.slots),
                      engine.gpu_layers.value_or(options.gpu_layers), engine.batch.value_or(0), engine.micro_batch.value_or(0));
  text += fmt::format("{};{};{};", engine.cache_type_k ? static_cast<int>(*engine.cache_type_k) : -1,
                      engine.cache_type_v ? static_cast<int>(*engine.cache_type_v) : -1,
                      engine.flash_attention ? static_cast<int>(*engine.flash_attention) : -1);
  for (const auto& word : launch.command) text += word + ";";
  return os::sha256_of(text).value_or(text);
}

struct Row {
  std::int64_t weights = 0;
  std::int64_t context = 0;
  std::int64_t compute = 0;
  std::int64_t process = 0;
  std::string devices;  // JSON: bytes by device
};
BOOST_DESCRIBE_STRUCT(Row, (), (weights, context, compute, process, devices))

std::string devices_text(const MemoryPools& devices) {
  json::object out;
  for (const auto& [device, bytes] : devices) out[device] = bytes.count;
  return json::to_text(out);
}

Bytes bytes(std::int64_t count) {
  return Bytes(static_cast<std::uint64_t>(std::max<std::int64_t>(0, count)));
}

}  // namespace

MemoryExpectation MemoryBook::expect(const Launch& launch, Purpose purpose, const FleetOptions& options) const {
  MemoryExpectation out{.print = print_of(launch, purpose, options), .need = predict_launch(launch, purpose, options)};
  if (!database_) return out;
  const auto row = database_->read([&](store::Reader& reader) {
    return reader.find_as<Row>("SELECT weights, context, compute, process, devices FROM worker_memory WHERE print = :print",
                               {{"print", out.print}});
  });
  if (!row) {
    log::warning("fleet", "measured memory cannot be read", {{"error", row.error().text()}});
    return out;
  }
  if (!*row) return out;
  out.measured = true;
  out.need.weights = bytes((*row)->weights);
  out.need.context = bytes((*row)->context);
  out.need.compute = bytes((*row)->compute);
  out.need.process = bytes((*row)->process);
  out.need.projector = out.need.adapters = Bytes();  // they are in the others
  if (const auto devices = json::parse_object((*row)->devices))
    for (const auto& [device, count] : *devices)
      if (count.is_int64()) out.need.devices[std::string(device)] = bytes(count.get_int64());
  return out;
}

MemoryNeed MemoryBook::measured(const MemoryExpectation& expectation, const std::optional<std::vector<wire::WorkerMemory>>& engine,
                                Bytes resident) {
  MemoryNeed out = expectation.need;
  if (engine) {
    out.weights = out.context = out.compute = Bytes();
    out.devices = device_pools(*engine);
    for (const auto& device : *engine) {
      out.weights += bytes(device.weights);
      out.context += bytes(device.context);
      out.compute += bytes(device.compute);
    }
  }
  const Bytes system = out.pools()[kSystemMemory];
  out.process += resident - system;
  return out;
}

Result<> MemoryBook::remember(const std::string& print, const MemoryNeed& measured) const {
  if (!database_) return {};
  const auto count = [](Bytes bytes) { return static_cast<std::int64_t>(bytes.count); };
  return database_->write([&](store::Transaction& tx) -> Result<> {
    PUNA_TRY([[maybe_unused]] const auto removed, tx.execute("DELETE FROM worker_memory WHERE print = :print", {{"print", print}}));
    PUNA_TRY([[maybe_unused]] const auto added,
             tx.execute("INSERT INTO worker_memory (print, weights, context, compute, process, devices, measured_at) VALUES (:print, "
                        ":weights, :context, :compute, :process, :devices, :now)",
                        {{"print", print},
                         {"weights", count(measured.weights)},
                         {"context", count(measured.context)},
                         {"compute", count(measured.compute)},
                         {"process", count(measured.process + measured.projector + measured.adapters)},
                         {"devices", devices_text(measured.devices)},
                         {"now", unix_seconds(std::chrono::system_clock::now())}}));
    return {};
  });
}

}  // namespace puna::fleet
