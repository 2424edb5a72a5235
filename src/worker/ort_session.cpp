#include "worker/ort_session.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "worker/model_file.hpp"

/// First entry of the library (its OrtApiBase).
struct Yyc3OrtBase {
  const void* const* (*get_api)(std::uint32_t version);
  const char* (*get_version)();
};
extern "C" const Yyc3OrtBase* OrtGetApiBase();  // NOLINT(readability-identifier-naming)

namespace yyc3::worker {
namespace {

constexpr std::uint32_t kApiVersion = 16;  // every slot below exists since then
constexpr std::string_view kPinnedVersion = "1.28.";
constexpr int kWarning = 2;
constexpr int kFloatElement = 1;
constexpr int kInt64Element = 7;

using Status = void*;

/// Slot numbers of OrtApi.
enum Slot : std::size_t {
  kGetErrorMessage = 2,
  kCreateEnv = 3,
  kCreateSession = 7,
  kRun = 9,
  kCreateSessionOptions = 10,
  kSetIntraOpThreads = 24,
  kSetInterOpThreads = 25,
  kCreateRunOptions = 39,
  kSetTerminate = 46,
  kUnsetTerminate = 47,
  kCreateTensorWithData = 49,
  kGetTensorMutableData = 51,
  kGetTensorShapeElementCount = 64,
  kGetTensorTypeAndShape = 65,
  kCreateCpuMemoryInfo = 69,
  kReleaseStatus = 93,
  kReleaseMemoryInfo = 94,
  kReleaseSession = 95,
  kReleaseValue = 96,
  kReleaseRunOptions = 97,
  kReleaseTensorTypeAndShape = 99,
  kReleaseSessionOptions = 100,
  kAddSessionConfigEntry = 130,
};

const void* const* table() {
  static const void* const* slots = OrtGetApiBase()->get_api(kApiVersion);
  return slots;
}

template <class... Args>
Status call(Slot slot, Args... args) {
  using Function = Status (*)(Args...);
  return reinterpret_cast<Function>(const_cast<void*>(table()[slot]))(args...);
}

template <class T>
void release(Slot slot, T* object) {
  using Function = void (*)(T*);
  if (object != nullptr) reinterpret_cast<Function>(const_cast<void*>(table()[slot]))(object);
}

/// The text of a failed status, released; empty when it was a success.
std::string message_of(Status status) {
  if (status == nullptr) return {};
  using Function = const char* (*)(const void*);
  const auto get = reinterpret_cast<Function>(const_cast<void*>(table()[kGetErrorMessage]));
  std::string text = get(status);
  release(kReleaseStatus, status);
  return text.empty() ? "failed" : text;
}

struct Environment {
  void* env = nullptr;
  void* memory = nullptr;
  std::string error;
};

/// One environment a process; ONNX Runtime keeps its logger there. Never freed: sessions may be
/// static.
const Environment& environment() {
  static const Environment made = [] {
    Environment e;
    e.error = message_of(call(kCreateEnv, kWarning, "aicall", &e.env));
    if (e.error.empty()) e.error = message_of(call(kCreateCpuMemoryInfo, 0, 0, &e.memory));
    return e;
  }();
  return made;
}

/// Owns the values of one run.
class Values {
 public:
  explicit Values(std::size_t n) : values_(n, nullptr) {}
  ~Values() {
    for (void* value : values_) release(kReleaseValue, value);
  }
  Values(const Values&) = delete;
  Values& operator=(const Values&) = delete;
  void** data() { return values_.data(); }
  [[nodiscard]] void* operator[](std::size_t i) const { return values_[i]; }

 private:
  std::vector<void*> values_;
};

Result<std::vector<float>> floats_of(void* value) {
  void* info = nullptr;
  std::size_t count = 0;
  const float* data = nullptr;
  std::string error = message_of(call(kGetTensorTypeAndShape, value, &info));
  if (error.empty()) error = message_of(call(kGetTensorShapeElementCount, info, &count));
  release(kReleaseTensorTypeAndShape, info);
  if (error.empty()) error = message_of(call(kGetTensorMutableData, value, &data));
  if (!error.empty()) return fail(ErrorCode::kInternal, "onnx: " + error);
  return std::vector<float>(data, data + count);
}

}  // namespace

std::string ort_version() { return OrtGetApiBase()->get_version(); }

OrtCancel::OrtCancel() {
  if (table() != nullptr) message_of(call(kCreateRunOptions, &options_));
}
OrtCancel::~OrtCancel() { release(kReleaseRunOptions, options_); }
void OrtCancel::cancel() { message_of(call(kSetTerminate, options_)); }
void OrtCancel::reset() { message_of(call(kUnsetTerminate, options_)); }

Result<OrtSession> OrtSession::load(const std::filesystem::path& model, int threads) {
  if (!ort_version().starts_with(kPinnedVersion) || table() == nullptr) {
    return fail(ErrorCode::kUnavailable, "libonnxruntime is " + ort_version() + ", this program " +
                                             "needs " + std::string(kPinnedVersion) +
                                             "x: run scripts/engines and build again");
  }
  if (!std::filesystem::is_regular_file(model)) return bad_model(model);
  if (!environment().error.empty()) return fail(ErrorCode::kInternal, environment().error);
  void* options = nullptr;
  void* session = nullptr;
  std::string error = message_of(call(kCreateSessionOptions, &options));
  if (error.empty()) error = message_of(call(kSetIntraOpThreads, options, threads));
  if (error.empty()) error = message_of(call(kSetInterOpThreads, options, 1));
  // Beside a language model whoever spins takes the processor from who has work.
  if (error.empty()) {
    const char* const spins = "session.intra_op.allow_spinning";
    error = message_of(call(kAddSessionConfigEntry, options, spins, static_cast<const char*>("0")));
  }
  if (error.empty()) {
    error = message_of(call(kCreateSession, environment().env, model.c_str(), options, &session));
  }
  release(kReleaseSessionOptions, options);
  if (!error.empty()) return bad_model(model, error);
  OrtSession made;
  made.session_ = std::shared_ptr<void>(session, [](void* s) { release(kReleaseSession, s); });
  return made;
}

Result<std::vector<std::vector<float>>> OrtSession::run(std::span<const OrtInput> inputs,
                                                        std::span<const char* const> outputs,
                                                        const OrtCancel* cancel) const {
  Values in(inputs.size());
  std::vector<const char*> names;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const OrtInput& input = inputs[i];
    names.push_back(input.name);
    const int element = input.type == OrtInput::Type::kFloat ? kFloatElement : kInt64Element;
    const std::string error = message_of(
        call(kCreateTensorWithData, environment().memory, const_cast<void*>(input.data),
             input.bytes, input.shape.data(), input.shape.size(), element, in.data() + i));
    if (!error.empty()) return fail(ErrorCode::kInvalid, "onnx input: " + error);
  }
  Values out(outputs.size());
  void* options = cancel != nullptr ? cancel->options_ : nullptr;
  const std::string error = message_of(
      call(kRun, session_.get(), options, names.data(), static_cast<const void* const*>(in.data()),
           inputs.size(), outputs.data(), outputs.size(), out.data()));
  if (!error.empty()) {
    // ONNX Runtime gives terminated runs no code of their own in this range of its API
    const bool stopped = error.find("terminate") != std::string::npos;
    return fail(stopped ? ErrorCode::kCancelled : ErrorCode::kInternal, "onnx: " + error);
  }
  std::vector<std::vector<float>> results;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    auto floats = floats_of(out[i]);
    if (!floats) return tl::unexpected<Error>(floats.error());
    results.push_back(std::move(*floats));
  }
  return results;
}

}  // namespace yyc3::worker
