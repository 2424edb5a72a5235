#pragma once

// For the tests of this room only. They run on the real models and fail without them.

#include <cstdlib>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "engine/telephony/codec/g711.hpp"
#include "engine/telephony/codec/wav.hpp"
#include "engine/text/tables.hpp"
#include "worker/voice.hpp"

namespace yyc3::worker::testing {

struct TempDir {
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "yyc3-worker-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~TempDir() { std::filesystem::remove_all(path); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::filesystem::path path;
};

inline std::filesystem::path models() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const std::filesystem::path root =
      cache != nullptr && *cache != '\0'
          ? std::filesystem::path(cache)
          : std::filesystem::path(home != nullptr ? home : "/") / ".cache";
  const std::filesystem::path folder = root / "aicall" / "models";
  REQUIRE_MESSAGE(std::filesystem::exists(folder / "silero_vad.onnx"),
                  "the models are not in " << folder.string() << ": run scripts/models");
  return folder;
}

inline text::TablesPtr tables() {
  auto loaded = text::Tables::load(models() / "text");
  REQUIRE_MESSAGE(loaded, loaded.error().detail);
  return *loaded;
}

inline std::vector<std::int16_t> read_wav(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto wav = codec::parse_wav(as_bytes(bytes));
  REQUIRE_MESSAGE(wav, file.string());
  REQUIRE(wav->rate == 8000);
  return wav->mono();
}

/// What a telephone makes of it: 8 kHz (box filter and linear interpolation, coarser than any real
/// line), A-law and back.
inline std::vector<std::int16_t> through_telephone(const Speech& speech) {
  const double step = speech.rate / 8000.0;
  const auto n = static_cast<std::size_t>(static_cast<double>(speech.pcm.size()) / step);
  std::vector<std::int16_t> out;
  for (std::size_t i = 0; i < n; ++i) {
    const double from = static_cast<double>(i) * step;
    double sum = 0;
    int count = 0;
    for (double t = from; t < from + step && t < static_cast<double>(speech.pcm.size()); t += 1) {
      sum += speech.pcm[static_cast<std::size_t>(t)];
      ++count;
    }
    const auto sample = static_cast<std::int16_t>(count > 0 ? sum / count : 0);
    out.push_back(codec::alaw_decode(codec::alaw_encode(sample)));
  }
  return out;
}

inline std::vector<std::int16_t> noise(std::size_t samples, double rms) {
  std::mt19937 random(1);
  std::normal_distribution<double> level(0, rms);
  std::vector<std::int16_t> out(samples);
  for (auto& s : out) s = static_cast<std::int16_t>(level(random));
  return out;
}

}  // namespace yyc3::worker::testing
