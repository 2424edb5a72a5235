#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace yyc3::language {

using Token = std::int32_t;

/// Which sequence of the model's memory holds which tokens: what prompts begin with alike is read
/// once. A sequence whose generation has ended stays as somebody's beginning until its place is
/// needed. Pure bookkeeping; the memory itself is LlamaModel's.
class SequenceTable {
 public:
  /// @param sequences 1 or more.
  explicit SequenceTable(std::size_t sequences) : rows_(sequences) {}

  struct Place {
    int sequence = 0;
    std::size_t kept = 0;        ///< tokens of the prompt that are there, always less than all
    std::optional<int> copy_of;  ///< … once they are copied from this one
  };
  /// A sequence for `prompt`, now busy: its own of before (same `owner`), else the one that was
  /// idle for longest. nullopt: all are busy. @param prompt one token or more.
  std::optional<Place> take(std::span<const Token> prompt, std::string_view owner);
  /// The model has read `token` there.
  void append(int sequence, std::span<const Token> tokens);
  /// The generation there has ended. What was read stays.
  void release(int sequence);
  /// Forgets the idle sequence that was not used for longest: its memory may be freed.
  std::optional<int> evict();
  /// Forgets what is there; it is idle afterwards.
  void forget(int sequence);
  [[nodiscard]] std::size_t size(int sequence) const { return row(sequence).tokens.size(); }

 private:
  struct Row {
    std::vector<Token> tokens;
    std::string owner;
    std::uint64_t used = 0;  ///< later is greater
    bool busy = false;
  };
  [[nodiscard]] Row& row(int sequence) { return rows_[static_cast<std::size_t>(sequence)]; }
  [[nodiscard]] const Row& row(int sequence) const {
    return rows_[static_cast<std::size_t>(sequence)];
  }
  [[nodiscard]] std::optional<std::size_t> home_of(std::string_view owner) const;
  std::vector<Row> rows_;
  std::uint64_t now_ = 0;
};

}  // namespace yyc3::language
