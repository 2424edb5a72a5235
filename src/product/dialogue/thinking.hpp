#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/text/segmenter.hpp"
#include "product/dialogue/flow.hpp"

/// What a language model is asked when rules do not understand a caller: which of the things that
/// this node is prepared for does he mean? It chooses among prepared sentences and says none.
namespace yyc3::dialogue {

/// A question to a language model. Its parts are in the order in which they change, so that an
/// engine has read all but the caller's words beforehand.
struct Think {
  std::string system;  ///< the same at every question of the flow
  std::string before;  ///< of the user's message: what was asked, and the choices
  std::string heard;
  std::string after;
  std::vector<std::string> choices;  ///< 3 to 32, no two alike; the last: none of them
  std::string none;  ///< that last one; empty: of these words it says as much as any other
  [[nodiscard]] std::string user() const { return before + heard + after; }
  friend bool operator==(const Think&, const Think&) = default;
};

/// One thing a caller may mean.
struct Meaning {
  enum class Kind {
    kAnswer,   ///< to the question: "yes", "no", an option's value
    kIntent,   ///< one of the flow's own that a branch here takes
    kFaq,      ///< asks something that is answered
    kUnknown,  ///< asks something else
    kNothing   ///< none of these
  };
  Kind kind = Kind::kUnknown;
  std::string name;   ///< answer, intent or id of the FAQ
  std::string label;  ///< as a model is told of it
};

/// What a caller may mean at `node`, which asks; at most 32.
std::vector<Meaning> meanings_at(const Flow& flow, const Node& node, text::Language language);

/// @param question as it was asked here.
Think think_about(const Flow& flow, std::string_view question, const std::vector<Meaning>& meanings,
                  text::Language language, std::string heard);

/// What a caller asks and nothing here answers: a language model may, in its own words, each of
/// which OwnWordsCheck has seen.
struct Wording {
  std::string system;  ///< who it is and what it knows; the same in every call
  std::string facts;   ///< what its numbers and promises must stand in
  std::string heard;
  std::vector<Segment> instead;  ///< said when nothing comes, or nothing that may be heard
  std::vector<Segment> after;    ///< said behind either
  std::shared_ptr<const text::Segmenter> words;  ///< of Chinese; null: none is known
};

/// @param values of the call, for texts with variables that are the same in every call.
Wording wording_of(const Flow& flow, text::Language language,
                   const std::map<std::string, std::string>& values);

}  // namespace yyc3::dialogue
