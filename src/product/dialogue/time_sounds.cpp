#include "product/dialogue/time_sounds.hpp"

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>
#include <vector>

#include "engine/text/utf8.hpp"
#include "product/dialogue/understanding.hpp"

namespace yyc3::dialogue {
namespace {

constexpr std::size_t kTimeTextMax = 400;
constexpr std::u32string_view kNumerals = U"零〇一二两三四五六七八九十0123456789";

struct TimeWord {
  std::array<std::string_view, 2> sounds;
  std::u32string_view characters;
};
// One of the two characters must be right: 重物 sounds like 中午.
constexpr std::array<TimeWord, 10> kTimeWords{{{{"shang", "wu"}, U"上午"},
                                               {{"xia", "wu"}, U"下午"},
                                               {{"zhong", "wu"}, U"中午"},
                                               {{"ming", "tian"}, U"明天"},
                                               {{"hou", "tian"}, U"后天"},
                                               {{"jin", "tian"}, U"今天"},
                                               {{"wan", "shang"}, U"晚上"},
                                               {{"zao", "shang"}, U"早上"},
                                               {{"xing", "qi"}, U"星期"},
                                               {{"li", "bai"}, U"礼拜"}}};

bool is_numeral(char32_t c) { return kNumerals.find(c) != std::u32string_view::npos; }

/// Toneless syllable of each character; empty for what is no Chinese.
std::vector<std::string> sounds_of(std::u32string_view text, const text::SoundMatcher& matcher) {
  std::vector<std::string> out(text.size());
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && text::is_han(text[end])) ++end;
    if (end == at) {
      ++at;
      continue;
    }
    std::vector<std::string> run;
    std::istringstream split(matcher.pinyin_key(text::encode_utf8(text.substr(at, end - at))));
    for (std::string sound; split >> sound;) run.push_back(sound);
    if (run.size() == end - at) std::ranges::move(run, out.begin() + static_cast<long>(at));
    at = end;
  }
  return out;
}

/// 号 after "月" and a number: "三好", "十五好".
bool is_day_of_month(std::u32string_view text, std::size_t at) {
  std::size_t from = at;
  while (from > 0 && is_numeral(text[from - 1])) --from;
  return from < at && from > 0 && text[from - 1] == U'月';
}

}  // namespace

std::string with_time_words(std::string_view heard, const text::SoundMatcher& matcher) {
  std::u32string text = text::decode_utf8(heard);
  if (text.size() > kTimeTextMax) text.resize(kTimeTextMax);
  const std::vector<std::string> sounds = sounds_of(text, matcher);
  std::u32string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto* word = std::ranges::find_if(kTimeWords, [&](const TimeWord& w) {
      return i + 1 < text.size() && sounds[i] == w.sounds[0] && sounds[i + 1] == w.sounds[1] &&
             (text[i] == w.characters[0] || text[i + 1] == w.characters[1]);
    });
    if (word != kTimeWords.end()) {
      out += word->characters;
      const bool hour = is_numeral(text[i + 1]) && i + 2 < text.size() && text[i + 2] == U'点';
      if (hour) out += text[i + 1];  // "下五点": the five is the hour
      ++i;
    } else if (sounds[i] == "hao" && is_day_of_month(text, i)) {
      out += U'号';
    } else {
      out += text[i];
    }
  }
  return text::encode_utf8(out);
}

std::string with_weekday(std::string_view heard, const text::SoundMatcher& matcher) {
  static constexpr std::array<std::pair<std::string_view, char32_t>, 8> kDays{{{"yi", U'一'},
                                                                               {"er", U'二'},
                                                                               {"san", U'三'},
                                                                               {"si", U'四'},
                                                                               {"wu", U'五'},
                                                                               {"liu", U'六'},
                                                                               {"ri", U'日'},
                                                                               {"tian", U'天'}}};
  std::string plain = plain_text(heard);
  std::erase(plain, ' ');
  const std::u32string text = text::decode_utf8(plain);
  const std::vector<std::string> sounds = sounds_of(text, matcher);
  for (std::size_t i = 0; i + 2 < sounds.size(); ++i) {
    const std::string& first = sounds[i];
    const bool week = sounds[i + 1] == "qi" && (first.ends_with("in") || first.ends_with("ing"));
    const bool bai = sounds[i + 1] == "bai" && (first == "li" || first == "ni" || first == "yi");
    const auto* day = std::ranges::find(kDays, sounds[i + 2], &decltype(kDays)::value_type::first);
    if ((!week && !bai) || day == kDays.end()) continue;
    return text::encode_utf8(text.substr(0, i) + U"星期" + day->second + text.substr(i + 3));
  }
  return {};
}

}  // namespace yyc3::dialogue
