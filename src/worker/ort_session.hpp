#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace yyc3::worker {

/// A tensor lent to a run: the data stays the caller's and must live until the run returns.
struct OrtInput {
  enum class Type { kFloat, kInt64 };
  const char* name;
  const void* data;
  std::size_t bytes;
  std::vector<std::int64_t> shape;  ///< empty: a scalar
  Type type = Type::kFloat;
};

/// Stops a run from another thread. One token serves one run at a time and may be reused after
/// reset(). Threads: cancel any; the rest by the thread that runs.
class OrtCancel {
 public:
  OrtCancel();
  ~OrtCancel();
  OrtCancel(const OrtCancel&) = delete;
  OrtCancel& operator=(const OrtCancel&) = delete;
  /// The run ends with kCancelled before its next graph node (milliseconds).
  void cancel();
  void reset();

 private:
  friend class OrtSession;
  void* options_ = nullptr;
};

/// One ONNX model in ONNX Runtime, through the library's C function table.
/// No ONNX Runtime headers are published for the library we link, so the few slots used are called
/// by number: the table is append-only by contract. load() refuses any version but the pinned one.
/// Threads: run may be called by several threads at once.
class OrtSession {
 public:
  /// @param threads 1..16 for one run; 1 starts none. They wait without spinning.
  /// Errors: kNotFound (no file), kInvalid (not a model), kUnavailable (another library version).
  static Result<OrtSession> load(const std::filesystem::path& model, int threads);
  OrtSession(OrtSession&&) noexcept = default;
  OrtSession& operator=(OrtSession&&) noexcept = default;

  /// Runs the model; the float outputs named, in that order.
  /// Errors: kCancelled (token), kInvalid (names or shapes do not fit), kInternal.
  Result<std::vector<std::vector<float>>> run(std::span<const OrtInput> inputs,
                                              std::span<const char* const> outputs,
                                              const OrtCancel* cancel = nullptr) const;

 private:
  OrtSession() = default;
  std::shared_ptr<void> session_;
};

/// "1.28.2", the version of the linked library.
std::string ort_version();

}  // namespace yyc3::worker
