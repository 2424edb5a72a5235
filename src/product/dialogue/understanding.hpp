#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/text/match.hpp"
#include "engine/text/segmenter.hpp"
#include "engine/text/understand.hpp"
#include "product/dialogue/entities.hpp"
#include "product/dialogue/intent.hpp"
#include "product/dialogue/intent_model.hpp"
#include "product/dialogue/sentiment.hpp"

namespace yyc3::dialogue {

/// What a caller may say at any moment, whatever was asked. Rules alone decide these: opt-out and
/// hand-over never depend on a model.
enum class Request {
  kNone,
  kOptOut,       ///< 别再打了, 退订, remove me
  kHuman,        ///< 转人工, talk to a person
  kComplaint,    ///< 我要投诉, I want to complain
  kWho,          ///< 你是谁, are you a robot
  kRepeat,       ///< 再说一遍, pardon
  kHold,         ///< 等一下, hold on
  kBusy,         ///< 我在开会, call me later
  kWrongNumber,  ///< 打错了, 不是我的
  kGoodbye,      ///< 再见, bye
};
[[nodiscard]] const char* name_of(Request request);  ///< "none" "opt_out" …

/// Everything read from one utterance.
struct Understood {
  IntentGuess intent;
  SentimentReading sentiment;
  Request request = Request::kNone;
  std::vector<Entity> entities;
  text::WhenReading when;  ///< the day and time named, if any
  text::YesNo yes_no = text::YesNo::kUnclear;
};

/// Phrases compiled for listening: found by their characters, or by how they sound (功克服 is heard
/// as 客服). English phrases are found as whole words. Threads: immutable, any.
class PhraseBook {
 public:
  struct Found {
    std::size_t label;  ///< as given to `add`
    double score;       ///< 0…1; 1: the very characters
    std::size_t size;   ///< characters (words) of the phrase: the longer of two equals wins
  };
  /// `matcher` may be null: characters alone are compared then.
  explicit PhraseBook(std::shared_ptr<const text::SoundMatcher> matcher)
      : matcher_(std::move(matcher)) {}
  void add(std::string_view phrase, std::size_t label, text::Language language);
  /// The best phrase in `text` whose score reaches `threshold`.
  [[nodiscard]] std::optional<Found> find(std::string_view text, text::Language language,
                                          double threshold = 0.8) const;
  /// The best score of each label that reaches `threshold`.
  [[nodiscard]] std::vector<Found> find_all(std::string_view text, text::Language language,
                                            double threshold = 0.8) const;
  [[nodiscard]] bool empty() const { return entries_.empty(); }

 private:
  struct Entry {
    std::string plain;
    text::PinyinKey key;
    std::size_t label;
    std::size_t size;
    text::Language language;
  };
  std::shared_ptr<const text::SoundMatcher> matcher_;
  std::vector<Entry> entries_;
};

/// Understanding of single utterances: hard rules, then the model, lexicon and grammars.
/// One for the process. Threads: immutable, any. < 5 ms an utterance (typically 0.3).
class Understanding {
 public:
  struct Parts {
    text::TablesPtr tables;                    ///< null: no matching by sound
    std::shared_ptr<const IntentModel> model;  ///< null: rules alone
  };
  explicit Understanding(Parts parts);

  [[nodiscard]] Understood read(std::string_view text, text::Language language,
                                const text::LocalDateTime& now) const;
  [[nodiscard]] Request request_in(std::string_view text, text::Language language) const;
  /// Intent by rules, else by the model.
  [[nodiscard]] IntentGuess intent_of(std::string_view text, text::Language language) const;
  /// The keyword rules alone: the baseline that tools/nlu measures.
  [[nodiscard]] IntentGuess intent_by_rules(std::string_view text, text::Language language) const;
  /// True when `text` is only a sign of listening: 嗯, 好的, 对, mm-hm, okay.
  [[nodiscard]] static bool is_back_channel(std::string_view text, text::Language language);
  /// The same by sound, and in a row: 恩恩恩恩, 对对是的. Numbers sound like some (十 and 是) and
  /// are none.
  [[nodiscard]] bool only_listens(std::string_view text, text::Language language) const;
  /// True when `text` is only a greeting that opens a call: 喂, 你好, hello.
  [[nodiscard]] static bool is_greeting(std::string_view text, text::Language language);

  [[nodiscard]] PhraseBook new_book() const { return PhraseBook(matcher_); }
  /// Null without tables.
  [[nodiscard]] std::shared_ptr<const text::Segmenter> segmenter() const { return segmenter_; }

 private:
  [[nodiscard]] IntentGuess intent_given(Request request, std::string_view text,
                                         text::Language language) const;
  std::shared_ptr<const text::SoundMatcher> matcher_;
  std::shared_ptr<const text::Segmenter> segmenter_;
  std::shared_ptr<const IntentModel> model_;
  PhraseBook requests_;
  PhraseBook keywords_;
  std::vector<text::PinyinKey> murmurs_;  ///< signs of listening, Chinese
};

/// Lower case, full-width letters narrowed, punctuation to blanks, blanks single. Han stays.
[[nodiscard]] std::string plain_text(std::string_view text);

}  // namespace yyc3::dialogue
