#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace yyc3::text {

/// A sorted string → bytes table, mapped read-only from a file of tools/text/make_lexicons.py.
/// Layout, little-endian: "YYC3TXT1", u32 count, u32 key bytes, u32 value bytes, u32 value width
/// (0: values differ in size), u64 checksum of the rest; u32 key offsets[count+1];
/// u32 value offsets[count+1] when the width is 0; keys; values. Look-ups: O(log count).
/// Threads: immutable, any thread. Memory: pages are shared and read on demand.
class Table {
 public:
  /// A span of entries sharing a prefix; narrowed byte by byte by `narrow`.
  struct Range {
    std::uint32_t begin;
    std::uint32_t end;
  };

  /// Errors: kNotFound (no file), kInvalid (not a table, cut short, checksum wrong); the detail
  /// names the file and how to make it again.
  static Result<Table> load(const std::filesystem::path& file);
  Table(Table&&) noexcept;
  Table& operator=(Table&&) noexcept;
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  ~Table();

  [[nodiscard]] std::uint32_t size() const { return count_; }
  [[nodiscard]] std::optional<std::uint32_t> find(std::string_view key) const;
  [[nodiscard]] std::string_view key(std::uint32_t index) const;
  [[nodiscard]] std::string_view value(std::uint32_t index) const;
  /// The value of `key`, or nothing.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view key) const;
  [[nodiscard]] Range all() const { return {0, count_}; }
  /// Entries of `range` whose key goes on with `more` after the first `depth` bytes. The first of
  /// them is the whole key when its size is depth + more.size().
  [[nodiscard]] Range narrow(Range range, std::size_t depth, std::string_view more) const;

 private:
  Table() = default;
  void unmap();
  const char* map_ = nullptr;
  std::size_t map_size_ = 0;
  std::uint32_t count_ = 0;
  std::uint32_t width_ = 0;
  const char* key_offsets_ = nullptr;
  const char* value_offsets_ = nullptr;
  const char* keys_ = nullptr;
  const char* values_ = nullptr;
};

/// Number of a toned syllable in the syllable table, e.g. of "zhong1".
using SyllableId = std::uint16_t;

/// Every table of the room. Load once, share; all classes of the room keep a shared pointer.
/// Threads: immutable after load, any thread. Loads in well under 200 ms, < 20 MB mapped.
class Tables {
 public:
  /// `directory` holds the .tbl files. Errors: as Table::load, or kInvalid when two files do not
  /// belong together.
  static Result<std::shared_ptr<const Tables>> load(const std::filesystem::path& directory);

  [[nodiscard]] const Table& words() const { return words_; }
  [[nodiscard]] const Table& hmm() const { return hmm_; }
  [[nodiscard]] const Table& phrases() const { return phrases_; }
  [[nodiscard]] const Table& english() const { return english_; }
  /// Sum of all word frequencies; > 0.
  [[nodiscard]] double total_frequency() const { return total_frequency_; }

  /// Readings of one character, the usual one first; empty when unknown.
  [[nodiscard]] std::vector<SyllableId> readings(char32_t han) const;
  [[nodiscard]] std::optional<SyllableId> first_reading(char32_t han) const;
  /// "zhong1"; empty for a number out of range.
  [[nodiscard]] std::string_view syllable(SyllableId id) const;
  [[nodiscard]] std::string_view kokoro(SyllableId id) const;
  [[nodiscard]] std::optional<SyllableId> find_syllable(std::string_view toned) const;
  /// The same syllable with another tone (1–5); `id` itself when there is no such syllable.
  [[nodiscard]] SyllableId with_tone(SyllableId id, int tone) const;
  /// The simplified form of a traditional character; others unchanged.
  [[nodiscard]] char32_t simplified(char32_t c) const;

 private:
  Tables(Table words, Table hmm, Table syllables, Table chars, std::array<Table, 3> rest);
  Table words_;
  Table hmm_;
  Table syllables_;
  Table chars_;
  Table phrases_;
  Table english_;
  Table t2s_;
  double total_frequency_ = 1;
};

using TablesPtr = std::shared_ptr<const Tables>;

}  // namespace yyc3::text
