#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "engine/telephony/codec/wav.hpp"
#include "engine/text/phonemizer.hpp"
#include "worker/ort_session.hpp"

namespace yyc3::worker {

struct Speech {
  int rate = 0;                   ///< samples a second
  std::vector<std::int16_t> pcm;  ///< mono; active speech at −20 dBFS, peaks below −3 dBFS
  /// `name` characters of the text have been heard to their end when `frame` samples have: by the
  /// durations that the voice itself gave its phonemes. Rising in both; the last is all of it.
  std::vector<codec::WavCue> marks = {};
};

/// A neural voice. Threads: speak by several at once; cancel through the token.
class Voice {
 public:
  virtual ~Voice() = default;
  /// @param speed 0.5..2. Errors: kInvalid (nothing speakable, unknown voice), kCancelled.
  virtual Result<Speech> speak(std::string_view text, std::string_view voice, double speed,
                               const OrtCancel& cancel) const = 0;
  /// Voice names it answers to; the first is its default.
  [[nodiscard]] virtual std::vector<std::string> voices() const = 0;
};

/// Kokoro-82M, 24 kHz, Chinese and English voices: about one core second a second of speech.
/// The first letter of a voice's name is its language (z: Chinese, a and b: English).
class KokoroVoice final : public Voice {
 public:
  /// @param directory models folder holding kokoro/. Errors: kNotFound, kInvalid.
  static Result<std::unique_ptr<KokoroVoice>> load(const std::filesystem::path& directory,
                                                   text::TablesPtr tables, int threads);
  Result<Speech> speak(std::string_view text, std::string_view voice, double speed,
                       const OrtCancel& cancel) const override;
  /// Phonemes made elsewhere, in Kokoro's alphabet: how tools/text compares ours with others'.
  /// @param characters of the text they are from: the last mark's name.
  Result<Speech> say(const text::Phonemes& phonemes, std::size_t characters, std::string_view voice,
                     double speed, const OrtCancel& cancel) const;
  [[nodiscard]] const text::Phonemizer& phonemizer() const { return phonemizer_; }
  [[nodiscard]] std::vector<std::string> voices() const override { return names_; }

 private:
  KokoroVoice(OrtSession session, text::TablesPtr tables)
      : session_(std::move(session)), phonemizer_(std::move(tables)) {}
  Result<std::vector<std::vector<float>>> run(std::span<const std::int64_t> tokens,
                                              std::size_t voice, double speed,
                                              const OrtCancel& cancel) const;
  OrtSession session_;
  text::Phonemizer phonemizer_;
  std::map<char32_t, std::int64_t> ids_;
  std::vector<std::string> names_;
  std::vector<float> styles_;  ///< [voice][tokens 0..509][256]
};

/// Piper joe-medium, 22.05 kHz, English: a tenth of a core.
class PiperVoice final : public Voice {
 public:
  static Result<std::unique_ptr<PiperVoice>> load(const std::filesystem::path& directory,
                                                  text::TablesPtr tables, int threads);
  Result<Speech> speak(std::string_view text, std::string_view voice, double speed,
                       const OrtCancel& cancel) const override;
  [[nodiscard]] std::vector<std::string> voices() const override { return {"joe"}; }

 private:
  PiperVoice(OrtSession session, text::TablesPtr tables)
      : session_(std::move(session)), phonemizer_(std::move(tables)) {}
  OrtSession session_;
  text::Phonemizer phonemizer_;
  std::map<char32_t, std::int64_t> ids_;
};

/// Float samples to what Speech promises: silence at both ends cut to 40 ms, level, soft limit. A
/// mark in a silence is moved to the silence's beginning: what is heard ends there.
[[nodiscard]] Speech level_speech(std::vector<float> samples, int rate,
                                  std::vector<codec::WavCue> marks = {});

}  // namespace yyc3::worker
