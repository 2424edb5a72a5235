#include "product/dialogue/understanding.hpp"

#include <algorithm>
#include <array>

#include "engine/text/utf8.hpp"
#include "product/dialogue/phrases.hpp"
#include "product/dialogue/time_sounds.hpp"

namespace yyc3::dialogue {
namespace {

constexpr double kSureOfWho = 0.93;  // "你们的地址在哪里" sounds much like "你们是哪里"
constexpr std::size_t kMurmurUnitsMax = 12;
constexpr std::size_t kBytesMax = 4000;  // of one utterance; a recogniser gives some 200

std::string_view bounded(std::string_view text) { return text.substr(0, kBytesMax); }

bool is_question(std::string_view text) {
  for (const std::string_view mark : {"吗", "呢", "多少", "什么", "怎么", "哪", "几点", "?", "？"})
    if (text.find(mark) != std::string_view::npos) return true;
  return false;
}

/// Whether the units of `heard` from `at` on sound like `phrase`.
bool sounds_like(const text::PinyinKey& heard, std::size_t at, const text::PinyinKey& phrase) {
  constexpr double kSameSound = 0.051;  // a unit
  constexpr std::u32string_view kNumerals = U"零一二两三四五六七八九十百千";
  const std::size_t size = phrase.units.size();
  if (at + size > heard.units.size()) return false;
  text::PinyinKey part;
  for (std::size_t i = 0; i < size; ++i) {
    const text::PinyinKey::Unit& unit = heard.units[at + i];
    const bool number = unit.count == 0 || kNumerals.find(unit.character) != kNumerals.npos;
    if (number && unit.character != phrase.units[i].character) return false;
    part.units.push_back(unit);
  }
  return text::SoundMatcher::distance(part, phrase) <= kSameSound * static_cast<double>(size);
}

}  // namespace

const char* name_of(Request request) {
  constexpr std::array<const char*, 10> kNames{"none",         "opt_out", "human", "complaint",
                                               "who",          "repeat",  "hold",  "busy",
                                               "wrong_number", "goodbye"};
  return kNames[static_cast<std::size_t>(request)];
}

Understanding::Understanding(Parts parts)
    : matcher_(parts.tables ? std::make_shared<const text::SoundMatcher>(parts.tables) : nullptr),
      segmenter_(parts.tables ? std::make_shared<const text::Segmenter>(parts.tables) : nullptr),
      model_(std::move(parts.model)),
      requests_(matcher_),
      keywords_(nullptr) {
  (void)features_of("好", text::Language::kZh);  // its table of sounds is made now, not in a call
  for (const text::Language language : {text::Language::kZh, text::Language::kEn}) {
    for (const RequestPhrase& phrase : request_phrases(language))
      requests_.add(phrase.text, static_cast<std::size_t>(phrase.request), language);
    for (const KeywordPhrase& phrase : keyword_phrases(language))
      keywords_.add(phrase.text, static_cast<std::size_t>(phrase.intent), language);
  }
  if (matcher_)
    for (const std::string_view murmur : back_channels(text::Language::kZh))
      murmurs_.push_back(matcher_->key(murmur));
}

Request Understanding::request_in(std::string_view text, text::Language language) const {
  // The weightiest request wins, not the best heard: a missed opt-out is the worst mistake.
  Request best = Request::kNone;
  std::size_t rank = static_cast<std::size_t>(-1);
  for (const PhraseBook::Found& found : requests_.find_all(bounded(text), language, 0.85)) {
    std::size_t place = found.label;
    const auto request = static_cast<Request>(found.label);
    if (request == Request::kWho && found.score < (found.size < 3 ? 1.0 : kSureOfWho)) continue;
    if (request == Request::kComplaint) place = 1;  // before kHuman: 投诉 says why
    if (request == Request::kHuman) place = 3;
    if (request == Request::kOptOut) place = 0;
    if (request == Request::kBusy) place = 4;  // "在开会，等一下再打" is busy, not hold
    if (request == Request::kWrongNumber) place = 5;
    if (request == Request::kRepeat) place = 6;
    if (request == Request::kWho) place = 7;
    if (request == Request::kHold) place = 8;
    if (place < rank) {
      rank = place;
      best = request;
    }
  }
  return best;
}

IntentGuess Understanding::intent_by_rules(std::string_view text, text::Language language) const {
  std::array<double, kIntents> votes{};
  for (const PhraseBook::Found& found : keywords_.find_all(bounded(text), language, 1.0))
    votes[found.label] += 1.0 + 0.1 * static_cast<double>(found.size);
  // Asking words stand in every kind of sentence: they count least.
  votes[static_cast<std::size_t>(Intent::kInquiry)] *= 0.7;
  IntentGuess out;
  const auto highest = std::ranges::max_element(votes);
  if (*highest <= 0) {
    out.intent = is_question(text) ? Intent::kInquiry : Intent::kOther;
    out.confidence = 0.3;
    return out;
  }
  out.intent = kAllIntents[static_cast<std::size_t>(highest - votes.begin())];
  out.confidence = std::min(0.9, 0.5 + 0.2 * *highest);
  return out;
}

IntentGuess Understanding::intent_of(std::string_view text, text::Language language) const {
  return intent_given(request_in(text, language), text, language);
}

IntentGuess Understanding::intent_given(Request request, std::string_view text,
                                        text::Language language) const {
  IntentGuess out =
      model_ ? model_->guess(bounded(text), language) : intent_by_rules(text, language);
  if (request == Request::kOptOut || request == Request::kComplaint) {
    out.intent = request == Request::kOptOut ? Intent::kUnsubscribe : Intent::kComplaint;
    out.confidence = 0.95;
    out.by_rule = true;
  }
  return out;
}

Understood Understanding::read(std::string_view text, text::Language language,
                               const text::LocalDateTime& now) const {
  const std::string_view heard = bounded(text);
  Understood out;
  out.request = request_in(heard, language);
  out.intent = intent_given(out.request, heard, language);
  out.sentiment = read_sentiment(heard, language);
  out.yes_no = text::parse_yes_no(heard);
  const bool by_sound = language == text::Language::kZh && matcher_;
  std::string mended = by_sound ? with_time_words(heard, *matcher_) : std::string(heard);
  out.when = text::parse_when(mended, now, language);
  if (by_sound && !out.when.date) {
    std::string weekday = with_weekday(mended, *matcher_);
    if (!weekday.empty()) {
      mended = std::move(weekday);
      out.when = text::parse_when(mended, now, language);
    }
  }
  out.entities = find_entities(mended, language, now);
  return out;
}

bool Understanding::is_back_channel(std::string_view text, text::Language language) {
  std::string plain = plain_text(text);
  if (language == text::Language::kZh) std::erase(plain, ' ');
  if (plain.empty()) return true;
  const auto words = back_channels(language);
  // "好的好的": a murmur said twice is one
  const std::size_t half = plain.size() / 2;
  if (language == text::Language::kZh && plain.compare(0, half, plain, half) == 0)
    plain.resize(half);
  return std::ranges::find(words, plain) != words.end();
}

bool Understanding::only_listens(std::string_view text, text::Language language) const {
  if (is_back_channel(text, language)) return true;
  if (language != text::Language::kZh || !matcher_) return false;
  const text::PinyinKey heard = matcher_->key(bounded(text));
  const std::size_t size = heard.units.size();
  if (size == 0 || size > kMurmurUnitsMax) return false;
  std::vector<bool> reached(size + 1);  // by murmurs from the beginning
  reached[0] = true;
  for (std::size_t at = 0; at < size; ++at) {
    if (!reached[at]) continue;
    for (const text::PinyinKey& murmur : murmurs_)
      if (sounds_like(heard, at, murmur)) reached[at + murmur.units.size()] = true;
  }
  return reached[size];
}

bool Understanding::is_greeting(std::string_view text, text::Language language) {
  std::string plain = plain_text(text);
  constexpr std::array<std::string_view, 10> kZh{"喂",       "你好", "您好",   "喂你好", "喂您好",
                                                 "你好你好", "喂喂", "喂喂喂", "哎你好", "喂哪位"};
  constexpr std::array<std::string_view, 7> kEn{
      "hello", "hi", "hey", "hello hello", "hi there", "hello there", "good morning"};
  if (language == text::Language::kEn) return std::ranges::find(kEn, plain) != kEn.end();
  std::erase(plain, ' ');
  return std::ranges::find(kZh, plain) != kZh.end();
}

}  // namespace yyc3::dialogue
