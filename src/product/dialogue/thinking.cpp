#include "product/dialogue/thinking.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

namespace yyc3::dialogue {

namespace {

constexpr std::size_t kMeaningsMax = 32;

/// The flow's own word for it, else its first phrase.
template <class Item>
std::string label_of(const Item& item, text::Language language) {
  if (const std::string& own = item.meaning.in(language); !own.empty()) return own;
  const auto& phrases = language == text::Language::kZh ? item.zh : item.en;
  return phrases.empty() ? std::string() : phrases.front();
}

class Meanings {
 public:
  void add(Meaning::Kind kind, std::string name, std::string label) {
    const bool known =
        std::ranges::any_of(found_, [&label](const Meaning& each) { return each.label == label; });
    if (label.empty() || known || found_.size() + 2 >= kMeaningsMax) return;  // two come last
    found_.push_back({kind, std::move(name), std::move(label)});
  }
  void last(Meaning::Kind kind, std::string label) {
    found_.push_back({kind, std::string(), std::move(label)});
  }
  std::vector<Meaning> take() { return std::move(found_); }

 private:
  std::vector<Meaning> found_;
};

/// Nothing else is asked of the branch.
bool is_intent_alone(const Condition& when) {
  return !when.intent.empty() && when.answer.empty() && when.entity.empty() &&
         when.sentiment.empty() && when.request.empty() && when.slot.empty();
}

constexpr std::string_view kSystemZh =
    "你在听客服机器人给客户打的电话，事由：{title}"
    "。机器人问了一句，客户回答了一句，话是语音识别出来"
    "的，可能有同音错字。请判断客户的意思最接近下面哪一个选项，只用选项里的原话回答。"
    "客户没有回答问题、又不在选项里的，选“{none}”。";
constexpr std::string_view kSystemEn =
    "You listen to a service robot's phone call to a customer about: {title}. The robot asked, the "
    "customer answered; the words come from speech recognition and may be misheard. Say which of "
    "the choices comes closest to what the customer means, in the words of the choice. When it is "
    "none of them, say \"{none}\".";

constexpr std::string_view kOwnWordsZh =
    "你是正在和客户通话的电话客服。只根据下面的资料，用一句三十字以内的口语回答客户，不要重复客户的"
    "话，"
    "不要说资料里没有的价格、数字和承诺，也不要说自己会去办什么。资料里没有的，就说您到店可以问我们"
    "的同事。"
    "\n资料：\n";
constexpr std::string_view kOwnWordsEn =
    "You are a service agent on the telephone. Answer the customer in one short spoken sentence, "
    "from "
    "these facts alone. Do not repeat the customer, name no price, number or promise that is not "
    "in "
    "them, and do not say that you will do anything. What is not in them: our staff can tell when "
    "the "
    "customer comes.\nFacts:\n";

std::string put(std::string_view text, std::string_view title, std::string_view none) {
  return fmt::format(fmt::runtime(text), fmt::arg("title", title), fmt::arg("none", none));
}

}  // namespace

std::vector<Meaning> meanings_at(const Flow& flow, const Node& node, text::Language language) {
  const bool zh = language == text::Language::kZh;
  Meanings out;
  if (node.ask && node.ask->grammar == Grammar::kYesNo) {
    out.add(Meaning::Kind::kAnswer, "yes", zh ? "是" : "yes");
    out.add(Meaning::Kind::kAnswer, "no", zh ? "不是" : "no");
  }
  if (node.ask)
    for (const Option& option : node.ask->options)
      out.add(Meaning::Kind::kAnswer, option.value, label_of(option, language));
  for (const Branch& branch : node.next) {
    if (!is_intent_alone(branch.when)) continue;
    const auto own = std::ranges::find(flow.intents, branch.when.intent, &OwnIntent::name);
    if (own != flow.intents.end())
      out.add(Meaning::Kind::kIntent, own->name, label_of(*own, language));
  }
  for (const Faq& faq : flow.faq) out.add(Meaning::Kind::kFaq, faq.id, label_of(faq, language));
  if (!flow.globals.unknown.empty())
    out.last(Meaning::Kind::kUnknown, zh ? "问别的事情" : "asks something else");
  out.last(Meaning::Kind::kNothing, zh ? "都不是" : "none of these");
  return out.take();
}

Think think_about(const Flow& flow, std::string_view question, const std::vector<Meaning>& meanings,
                  text::Language language, std::string heard) {
  const bool zh = language == text::Language::kZh;
  const std::string& none = meanings.back().label;
  Think out;
  out.system = put(zh ? kSystemZh : kSystemEn, flow.title.in(language), none);
  std::string list;
  for (const Meaning& each : meanings) {
    out.choices.push_back(each.label);
    list += (list.empty() ? "" : zh ? "；" : "; ") + each.label;
  }
  out.none = none;
  out.before = zh ? fmt::format("机器人问：{}\n选项：{}\n客户说：", question, list)
                  : fmt::format("Robot: {}\nChoices: {}\nCustomer: ", question, list);
  out.heard = std::move(heard);
  return out;
}

Wording wording_of(const Flow& flow, text::Language language,
                   const std::map<std::string, std::string>& values) {
  const auto text = [&](const LocalText& from) {
    std::string out;
    for (const Segment& each : fill(flow, from.in(language), "own_words", language, values))
      if (!each.variable) out += each.text;  // data of a call is nothing a model needs to know
    return out + "\n";
  };
  Wording out;
  out.facts = text(flow.own_words.about);
  for (const Faq& faq : flow.faq) out.facts += text(faq.answer);
  out.system = std::string(language == text::Language::kZh ? kOwnWordsZh : kOwnWordsEn) + out.facts;
  return out;
}

}  // namespace yyc3::dialogue
