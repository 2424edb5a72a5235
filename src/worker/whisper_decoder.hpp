#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "worker/hear_model.hpp"
#include "worker/homophone_corrector.hpp"
#include "worker/hot_words.hpp"
#include "worker/ngram_model.hpp"
#include "worker/whisper_encoder.hpp"

namespace yyc3::worker {

/// Characters of a line of the operator's phrases up to which it is a word, not a sentence.
constexpr std::size_t kWordLongest = 6;

/// The weights of one Whisper model; shared by all decoders. Threads: immutable, any.
class WhisperModel final : public HearModel, public std::enable_shared_from_this<WhisperModel> {
 public:
  /// @param said what callers say in Chinese, one utterance a line: free decodes lean towards it.
  /// @param own  the operator's phrases, likewise; lines of up to kWordLongest characters are words
  ///             to take rather than others that sound alike (HotWords).
  /// @param tables  with them free texts are corrected by what callers say (HomophoneCorrector);
  ///                null: left as they are.
  /// Errors: kNotFound (no file), kInvalid (not a model; the detail says what to run).
  static Result<std::shared_ptr<const WhisperModel>> load(const std::filesystem::path& file,
                                                          std::string_view said = {},
                                                          std::string_view own = {},
                                                          const text::TablesPtr& tables = nullptr);
  ~WhisperModel() override;
  WhisperModel(const WhisperModel&) = delete;
  WhisperModel& operator=(const WhisperModel&) = delete;
  /// File name without ".bin".
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] std::unique_ptr<Decoder> make_decoder(text::TablesPtr tables,
                                                      const Clock& clock) const override;
  [[nodiscard]] bool multilingual() const { return multilingual_; }

 private:
  friend class WhisperDecoder;
  WhisperModel();
  [[nodiscard]] std::vector<NgramModel::Token> tokens_of(const std::string& text) const;
  void learn(std::string_view said, std::string_view own);
  void* context_ = nullptr;
  std::unique_ptr<const WhisperEncoder> encoder_;  ///< null: ggml's
  std::string name_;
  bool multilingual_ = false;
  NgramModel::Token blank_ = -1;                   ///< " ", which begins no text; −1: no such token
  std::unique_ptr<NgramModel> said_;               ///< null: nothing is known of what is said
  HotWords words_;                                 ///< the operator's
  std::unique_ptr<HomophoneCorrector> corrector_;  ///< null: nothing is corrected
  struct Spelled {
    NgramModel::Token first = 0;  ///< its first token …
    bool whole = false;           ///< … and only one
  };
  std::unordered_map<char32_t, Spelled> characters_;  ///< that are said
  std::vector<NgramModel::Token> marks_;  ///< of punctuation: a sentence or phrase ends there
};

/// One recogniser at work: the likeliest text and, where it is torn, others (TokenSearch), one
/// thread, no temperature fallback, a window cut to the speech (the recipe and its figures: docs of
/// the model manifest).
///
/// With a grammar the alternatives are scored, not sampled: each alternative's likelihood given the
/// sound is computed along a tree of their tokens, minus what the model expects of it in silence,
/// so that a rare word is not lost to a frequent one. `digits` and `time` are decoded freely and
/// their text is what the caller parses.
/// Threads: one at a time; each decoder has its own state (≈ 70 MB for base).
class WhisperDecoder final : public Decoder {
 public:
  WhisperDecoder(std::shared_ptr<const WhisperModel> model, text::TablesPtr tables,
                 const Clock& clock);
  ~WhisperDecoder() override;
  WhisperDecoder(const WhisperDecoder&) = delete;
  WhisperDecoder& operator=(const WhisperDecoder&) = delete;

  /// Blocks for 0.1–0.2 s a second of speech.
  Result<Decoded> decode(const DecodeRequest& request, const StopFlag& stop) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace yyc3::worker
