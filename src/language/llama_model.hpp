#pragma once

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "language/sequence_table.hpp"

namespace yyc3::language {

struct LlamaConfig {
  std::filesystem::path file;  ///< GGUF
  int threads = 1;             ///< of one decode at most, 1..64
  std::size_t context = 4096;  ///< tokens that all sequences hold together, 512..131072
  std::size_t sequences = 32;  ///< 2..64
};

struct PromptMessage {
  std::string role;  ///< "system" "user" "assistant"
  std::string text;
};

/// What decides the next token. Belongs to one generation.
class Sampler {
 public:
  virtual ~Sampler() = default;
};

struct SamplerConfig {
  double temperature = 0;  ///< 0: the likeliest
  double top_p = 1;
  std::uint32_t seed = 0;
  std::string grammar;  ///< GBNF; empty: none
};

/// A chat model in llama.cpp and its memory of what was read. Nothing else includes llama.h.
/// Threads: `decode`, `copy`, `cut` and the samplers on one thread; the rest on any.
class LlamaModel {
 public:
  /// Errors: kNotFound (no such file), kInvalid (no GGUF chat model that this llama.cpp reads).
  static Result<std::unique_ptr<LlamaModel>> load(const LlamaConfig& config);
  ~LlamaModel();
  LlamaModel(const LlamaModel&) = delete;
  LlamaModel& operator=(const LlamaModel&) = delete;

  /// The tokens of a conversation, in the model's own template, up to where its answer begins.
  /// Texts cannot become the template's marks, whatever they hold. Errors: kInvalid.
  [[nodiscard]] Result<std::vector<Token>> prompt_of(std::span<const PromptMessage> messages) const;
  [[nodiscard]] std::vector<Token> tokens_of(std::string_view text) const;
  /// Bytes of a token; a character may be spread over several.
  [[nodiscard]] std::string piece_of(Token token) const;
  /// The answer is over.
  [[nodiscard]] bool ends(Token token) const;
  [[nodiscard]] std::size_t context() const;
  [[nodiscard]] int threads() const;

  enum class Decoded {
    kOk,
    kNoRoom,   ///< the memory is full: free a sequence and try again
    kStopped,  ///< cut the sequence back to `position`
    kFailed,
  };
  /// Reads `tokens` behind the first `position` tokens of `sequence`; at most kTokensAtOnce.
  /// @param stop looked at between nodes of the graph (milliseconds).
  /// @param threads 1 to threads().
  Decoded decode(int sequence, std::size_t position, std::span<const Token> tokens,
                 const std::atomic<bool>& stop, int threads);
  static constexpr std::size_t kTokensAtOnce = 64;
  /// The first `count` tokens of `from`, which stay there, are those of `to` as well.
  void copy(int from, int to, std::size_t count);
  /// Forgets what stands behind the first `count` tokens.
  void cut(int sequence, std::size_t count);

  /// Errors: kInvalid: the grammar.
  [[nodiscard]] Result<std::unique_ptr<Sampler>> sampler(const SamplerConfig& config) const;
  /// After a decode: what comes next.
  Token sample(Sampler& sampler);
  [[nodiscard]] float logit(Token token) const;

 private:
  struct Impl;
  explicit LlamaModel(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace yyc3::language
