// puna-train MODEL: trains a LoRA on rows by chance and says how fast it went, and in how much memory. Numbers to compare with others',
// taken in the same minute: ./dev bench explains how.
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "tune/kernels.h"
#include "tune/random.h"
#include "tune/trainer.h"

namespace {

using namespace puna;
using namespace puna::tune;

struct Request {
  std::filesystem::path model;
  std::size_t rows = 2;
  std::size_t length = 256;
  std::size_t trained = 256;  // of each row, at its end
  std::size_t rank = 16;
  float dropout = 0;
  std::size_t steps = 3;
  std::size_t threads = 2;
  bool keep = false;
  bool bf16 = false;
};

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double peak_mebibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

MicroBatch rows_by_chance(const Request& request, std::size_t vocabulary) {
  std::vector<TokenRow> rows(request.rows);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (std::size_t i = 0; i < request.length; ++i) {
      rows[row].tokens.push_back(static_cast<std::int32_t>(mix(row * 7919 + i) % vocabulary));
      rows[row].weights.push_back(i + request.trained >= request.length ? 1.0F : 0.0F);
    }
  }
  return lay_out(rows);
}

Result<> run(const Request& request) {
  Team team(request.threads);
  PUNA_TRY(const auto model, Model::open(std::span(&request.model, 1)));
  const std::size_t tokens = request.rows * request.length;
  const TrainerOptions options{.lora = {.rank = request.rank, .alpha = 32, .dropout = request.dropout},
                               .schedule = {.rate = 1e-3F, .decay = Decay::constant, .steps = request.steps},
                               .pass = {.most_tokens = tokens,
                                        .longest = request.length,
                                        .recompute = request.keep ? Recompute::nothing : Recompute::each_layer,
                                        .precision = request.bf16 ? Precision::bf16 : Precision::f32}};
  PUNA_TRY(const auto planned, Trainer::memory(model, request.threads, options));
  PUNA_TRY(auto trainer, Trainer::create(model, team, options));
  const std::vector batches = {rows_by_chance(request, model.shape().vocabulary)};
  fmt::print("{} tokens, {} trained, kernels {}, planned {}\n", tokens, batches[0].trained.size(), kernels().name, format_bytes(planned));
  for (std::size_t step = 0; step < request.steps; ++step) {
    const auto began = std::chrono::steady_clock::now();
    const double cpu = cpu_seconds();
    PUNA_TRY(const auto report, trainer.step(batches));
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
    fmt::print("step {}: loss {:.4f}, {:.3f} s, {:.3f} CPU s, {:.0f} tokens/s, peak {:.0f} MiB\n", report.step, report.loss, wall.count(),
               cpu_seconds() - cpu, static_cast<double>(report.tokens) / wall.count(), peak_mebibytes());
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  Request request;
  CLI::App app("Trains a LoRA on rows by chance and measures it.");
  app.add_option("model", request.model, "GGUF file")->required();
  app.add_option("--rows", request.rows, "rows in a step");
  app.add_option("--length", request.length, "tokens in a row");
  app.add_option("--trained", request.trained, "tokens trained at the end of each row");
  app.add_option("--rank", request.rank);
  app.add_option("--dropout", request.dropout);
  app.add_option("--steps", request.steps);
  app.add_option("--threads", request.threads);
  app.add_flag("--keep", request.keep, "keep what each layer computed instead of computing it again");
  app.add_flag("--bf16", request.bf16, "multiply in bfloat16");
  CLI11_PARSE(app, argc, argv);
  if (const auto done = run(request); !done) {
    fmt::print(stderr, "puna-train: {}\n", done.error().text());
    return 1;
  }
  return 0;
}
