#include "api/new_call_body.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

#include "base/bytes.hpp"
#include "base/json.hpp"

namespace yyc3::api {

namespace {

constexpr std::array<std::string_view, 5> kFields{"to", "flow", "language", "variables",
                                                  "subject_id"};
constexpr std::size_t kVariablesMax = 32;
constexpr std::size_t kVariableBytesMax = 800;  // 200 characters of up to four bytes

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool is_printable(std::string_view text) {
  return is_utf8(text) && std::none_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
         });
}

class Reader {
 public:
  Reader(const json::object& body, NewCallBody& out) : body_(body), out_(out) {}

  /// A field's name comes from the client too: cut at a byte, it need not be UTF-8 any more.
  void wrong(std::string_view field, std::string reason) {
    if (out_.errors.size() < kFieldErrorsMax)
      out_.errors.push_back({sanitize_utf8(field), std::move(reason)});
  }

  /// False when absent or wrong.
  bool text(std::string_view field, std::size_t bytes_max, std::string& into) {
    const json::value* value = body_.if_contains(field);
    if (value == nullptr || value->is_null()) return false;
    if (!value->is_string() || value->get_string().empty() ||
        value->get_string().size() > bytes_max || !is_printable(value->get_string())) {
      wrong(field,
            fmt::format("must be a text of 1 to {} bytes without control characters", bytes_max));
      return false;
    }
    into = std::string(value->get_string());
    return true;
  }

  void variables() {
    const json::value* value = body_.if_contains("variables");
    if (value == nullptr || value->is_null()) return;
    const json::object* fields = value->if_object();
    if (fields == nullptr || fields->size() > kVariablesMax)
      return wrong("variables",
                   fmt::format("must be an object of at most {} texts", kVariablesMax));
    for (const auto& [name, item] : *fields) {
      const bool good = is_name(name) && item.is_string() &&
                        item.get_string().size() <= kVariableBytesMax &&
                        is_printable(item.get_string());
      if (good)
        out_.call.variables.emplace(name, std::string(item.get_string()));
      else
        wrong(fmt::format("variables.{}", std::string_view(name).substr(0, 64)),
              "must be a text of at most 200 characters under a name of letters, digits and _");
    }
  }

 private:
  const json::object& body_;
  NewCallBody& out_;
};

}  // namespace

Result<NewCallBody> read_new_call(std::string_view body, const std::set<std::string>& flows) {
  const auto parsed = parse_json(body);
  if (!parsed) return tl::unexpected<Error>(parsed.error());
  const json::object* fields = parsed->if_object();
  if (fields == nullptr) return fail(ErrorCode::kInvalid, "the body must be a JSON object");
  NewCallBody out;
  Reader reader(*fields, out);
  const json::value* to = fields->if_contains("to");
  if (!reader.text("to", 255, out.call.to) && (to == nullptr || to->is_null()))
    reader.wrong("to", "is missing: an E.164 number or sip:user@host");
  if (reader.text("flow", 64, out.call.flow) && !flows.contains(out.call.flow))
    reader.wrong("flow", "no such flow; GET /api/v1/flows lists them");
  std::string language;
  if (reader.text("language", 8, language)) {
    if (const auto known = speech::language_of(language))
      out.call.language = *known;
    else
      reader.wrong("language", "must be zh or en");
  }
  std::string subject;
  if (reader.text("subject_id", 128, subject)) out.call.subject_id = std::move(subject);
  reader.variables();
  for (const auto& [name, value] : *fields)
    if (std::find(kFields.begin(), kFields.end(), std::string_view(name)) == kFields.end())
      reader.wrong(std::string_view(name).substr(0, 64), "is not a field of this request");
  return out;
}

}  // namespace yyc3::api
