#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/text/language.hpp"
#include "engine/text/segmenter.hpp"

/// A language model that speaks in its own words, where a flow lets it: what it says is hostile
/// until it was looked at, clause by clause, before anybody hears it.
namespace yyc3::dialogue {

/// Cuts a text that comes in pieces into what is spoken at once: the first clause as early as it
/// can be, for somebody waits for it (at a mark, or within 8 characters or 8 words without one,
/// where a word ends that is no number; never an English word alone: "Yes," is no answer when
/// the rest is stopped), what it leaves up to the next mark, then sentences, or clauses of 6
/// Chinese characters or 12 others; none in Chinese much longer than all before it, without a mark.
/// Pure.
class ClauseStream {
 public:
  /// @param words where Chinese words end, outlives this; null: anywhere.
  explicit ClauseStream(text::Language language, const text::Segmenter* words = nullptr)
      : language_(language), words_(words) {}
  /// Clauses that `piece` completes, marks included; none is longer than 60 characters.
  std::vector<std::string> feed(std::string_view piece);
  /// What is left, when no more comes.
  std::vector<std::string> finish();

 private:
  [[nodiscard]] std::size_t end_of_clause(const std::u32string& text) const;
  [[nodiscard]] std::size_t end_of_word(std::u32string_view text, std::size_t most) const;
  text::Language language_;
  const text::Segmenter* words_;
  std::u32string left_;
  std::string bytes_;      ///< the beginning of a character
  std::size_t given_ = 0;  ///< characters
  bool open_ = false;      ///< the last was cut without a mark: what it began is not to stay undone
};

/// What a clause is measured by.
class OwnWordsCheck {
 public:
  /// @param facts what may be said: its numbers and its promises. @param heard the caller's words,
  /// whose numbers may be said back.
  OwnWordsCheck(std::string facts, std::string heard, text::Language language);

  /// Why `clause` must not be spoken; empty when it may. Where the one before it ended without a
  /// mark it is read on from there. "number" that stands in no fact, "price",
  /// "promise", "deed" (that something was or will be done: nothing is), "identity" (a person),
  /// "contact", "language", "echo" of the caller, "repeat", "marks" (no plain text).
  std::string_view objection(std::string_view clause);
  /// This is going to be said anyway: from a model it would be a repeat.
  void expect(std::string_view text);

 private:
  [[nodiscard]] bool known_numbers(std::string_view clause) const;
  bool repeats(std::string_view text);
  std::string facts_;
  std::string heard_;
  text::Language language_;
  std::vector<std::string> numbers_;         ///< of facts and caller
  std::map<std::string, std::size_t> said_;  ///< plain, and how often
  std::string begun_;                        ///< behind the last mark
};

}  // namespace yyc3::dialogue
