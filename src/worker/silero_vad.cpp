#include "worker/silero_vad.hpp"

#include <algorithm>
#include <vector>

namespace yyc3::worker {
namespace {
constexpr std::size_t kHalfMemory = 128;
}  // namespace

Result<SileroVad> SileroVad::load(const std::filesystem::path& directory) {
  auto session = OrtSession::load(directory / "silero_vad.onnx", 1);
  if (!session) return tl::unexpected<Error>(session.error());
  return SileroVad(std::move(*session));
}

Result<void> SileroVad::run(std::span<Frame> batch) const {
  const std::size_t n = batch.size();
  if (n == 0 || n > kBatchMax) return fail(ErrorCode::kInvalid, "silero: batch is not 1..64");
  constexpr std::size_t kRow = kContext + kFrame;
  std::vector<float> input(n * kRow);
  std::vector<float> memory(2 * n * kHalfMemory);  // [2, n, 128]
  for (std::size_t i = 0; i < n; ++i) {
    const State& state = *batch[i].state;
    float* row = input.data() + i * kRow;
    std::ranges::copy(state.context, row);
    std::ranges::copy(batch[i].pcm, row + kContext);
    std::copy_n(state.memory.data(), kHalfMemory, memory.data() + i * kHalfMemory);
    std::copy_n(state.memory.data() + kHalfMemory, kHalfMemory,
                memory.data() + (n + i) * kHalfMemory);
  }
  const std::int64_t rate = 8000;
  const auto rows = static_cast<std::int64_t>(n);
  const std::array<OrtInput, 3> inputs{{
      {"input", input.data(), input.size() * sizeof(float), {rows, std::int64_t{kRow}}},
      {"state", memory.data(), memory.size() * sizeof(float), {2, rows, kHalfMemory}},
      {"sr", &rate, sizeof(rate), {}, OrtInput::Type::kInt64},
  }};
  const std::array<const char*, 2> outputs{"output", "stateN"};
  const auto result = session_.run(inputs, outputs);
  if (!result) return tl::unexpected<Error>(result.error());
  const std::vector<float>& probabilities = (*result)[0];
  const std::vector<float>& next = (*result)[1];
  if (probabilities.size() != n || next.size() != memory.size()) {
    return fail(ErrorCode::kInternal, "silero: unexpected output shape");
  }
  for (std::size_t i = 0; i < n; ++i) {
    Frame& frame = batch[i];
    frame.probability = probabilities[i];
    std::copy_n(frame.pcm.end() - kContext, kContext, frame.state->context.begin());
    std::copy_n(next.data() + i * kHalfMemory, kHalfMemory, frame.state->memory.data());
    std::copy_n(next.data() + (n + i) * kHalfMemory, kHalfMemory,
                frame.state->memory.data() + kHalfMemory);
  }
  return {};
}

}  // namespace yyc3::worker
