#include "platform/net/http.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/json.hpp"

namespace yyc3::net {

namespace {

constexpr std::size_t kParametersMax = 128;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

/// RFC 9110 §5.6.2 token.
bool is_token(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

/// A line break in a value would let its author write headers or a body of his own.
std::string clean_value(std::string_view value) {
  std::string text(value);
  for (char& c : text) {
    if (c == '\r' || c == '\n' || c == '\0') c = ' ';
  }
  return text;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (lower(c) >= 'a' && lower(c) <= 'f') return lower(c) - 'a' + 10;
  return -1;
}

Result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
      if (low < 0) return fail(ErrorCode::kInvalid, "URL: '%' must be followed by two hex digits");
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (c == '\0') return fail(ErrorCode::kInvalid, "URL: NUL is not allowed");
    out += c;
  }
  return out;
}

std::optional<std::uint64_t> to_number(std::string_view digits) {
  std::uint64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  if (digits.empty() || error != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace

void Headers::set(std::string_view name, std::string_view value) {
  erase(name);
  add(name, value);
}

void Headers::add(std::string_view name, std::string_view value) {
  if (is_token(name)) fields_.emplace_back(std::string(name), clean_value(value));
}

void Headers::erase(std::string_view name) {
  std::erase_if(fields_, [name](const auto& field) { return same_name(field.first, name); });
}

std::optional<std::string_view> Headers::get(std::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (same_name(key, name)) return value;
  }
  return std::nullopt;
}

std::optional<std::string> HttpRequest::param(std::string_view name) const {
  const auto found = query.lower_bound(name);
  if (found == query.end() || found->first != name) return std::nullopt;
  return found->second;
}

HttpResponse::HttpResponse(int code, std::string text, std::string_view content_type)
    : status(code), body(std::move(text)) {
  headers.set("Content-Type", content_type);
}

HttpResponse HttpResponse::problem(int code, std::string_view title, std::string_view detail) {
  json::object object;
  object["type"] = "about:blank";
  object["title"] = title;
  object["status"] = code;
  if (!detail.empty()) object["detail"] = detail;
  return HttpResponse(code, json::serialize(object), "application/problem+json");
}

HttpResponse HttpResponse::stream(int code, std::string_view content_type, BodySource source,
                                  std::optional<std::uint64_t> size) {
  HttpResponse response(code, {}, content_type);
  response.source = std::move(source);
  response.source_size = size;
  return response;
}

HttpResponse HttpResponse::upgrade(WebSocketOptions options, WebSocketHandler run) {
  HttpResponse response(101);
  response.websocket_options = std::move(options);
  response.websocket = std::move(run);
  return response;
}

Result<Query> parse_query(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    if (pair.empty()) continue;
    if (query.size() == kParametersMax)
      return fail(ErrorCode::kInvalid, "URL: more than 128 query parameters");
    const std::size_t equals = pair.find('=');
    auto name = percent_decode(pair.substr(0, equals), true);
    if (!name) return fail(name.error().code, name.error().detail);
    const bool bare = equals == std::string_view::npos;
    auto value = percent_decode(bare ? std::string_view() : pair.substr(equals + 1), true);
    if (!value) return fail(value.error().code, value.error().detail);
    query.emplace(std::move(*name), std::move(*value));
  }
  return query;
}

Result<std::string> parse_path(std::string_view text) {
  if (!text.starts_with('/')) return fail(ErrorCode::kInvalid, "URL: the path must begin with '/'");
  std::string path;
  std::string_view rest = text;
  while (!rest.empty()) {
    rest.remove_prefix(1);  // the '/'
    const std::string_view raw = rest.substr(0, rest.find('/'));
    rest.remove_prefix(raw.size());
    const auto segment = percent_decode(raw, false);
    if (!segment) return fail(segment.error().code, segment.error().detail);
    if (segment->find('/') != std::string::npos)
      return fail(ErrorCode::kInvalid, "URL: an encoded '/' is not allowed in the path");
    if (*segment == "." || *segment == "..")
      return fail(ErrorCode::kInvalid, "URL: '.' and '..' are not allowed in the path");
    path += '/';
    path += *segment;
  }
  return path;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

std::string_view reason_phrase(int status) {
  struct Phrase {
    int status;
    std::string_view text;
  };
  static constexpr std::array<Phrase, 32> kPhrases = {{{100, "Continue"},
                                                       {101, "Switching Protocols"},
                                                       {200, "OK"},
                                                       {201, "Created"},
                                                       {202, "Accepted"},
                                                       {204, "No Content"},
                                                       {206, "Partial Content"},
                                                       {301, "Moved Permanently"},
                                                       {302, "Found"},
                                                       {303, "See Other"},
                                                       {304, "Not Modified"},
                                                       {307, "Temporary Redirect"},
                                                       {400, "Bad Request"},
                                                       {401, "Unauthorized"},
                                                       {403, "Forbidden"},
                                                       {404, "Not Found"},
                                                       {405, "Method Not Allowed"},
                                                       {408, "Request Timeout"},
                                                       {409, "Conflict"},
                                                       {410, "Gone"},
                                                       {412, "Precondition Failed"},
                                                       {413, "Content Too Large"},
                                                       {415, "Unsupported Media Type"},
                                                       {416, "Range Not Satisfiable"},
                                                       {421, "Misdirected Request"},
                                                       {422, "Unprocessable Content"},
                                                       {426, "Upgrade Required"},
                                                       {429, "Too Many Requests"},
                                                       {431, "Request Header Fields Too Large"},
                                                       {500, "Internal Server Error"},
                                                       {503, "Service Unavailable"},
                                                       {504, "Gateway Timeout"}}};
  for (const Phrase& phrase : kPhrases) {
    if (phrase.status == status) return phrase.text;
  }
  return "Status";
}

Result<std::optional<ByteRange>> parse_range(std::string_view header, std::uint64_t size) {
  using Range = Result<std::optional<ByteRange>>;
  const Range everything(std::optional<ByteRange>{});
  if (!header.starts_with("bytes=")) return everything;
  header.remove_prefix(6);
  const std::size_t dash = header.find('-');
  if (dash == std::string_view::npos || header.find(',') != std::string_view::npos)
    return everything;
  const auto first = to_number(header.substr(0, dash));
  const auto last = to_number(header.substr(dash + 1));
  if (dash == 0) {  // the last n bytes
    if (!last) return everything;
    if (*last == 0 || size == 0) return fail(ErrorCode::kInvalid, "Range: nothing there");
    return Range(ByteRange{size - std::min(size, *last), size - 1});
  }
  const bool open_end = dash + 1 == header.size();
  if (!first || (!open_end && !last) || (last && *last < *first)) return everything;
  if (*first >= size) return fail(ErrorCode::kInvalid, "Range: begins beyond the end");
  return Range(ByteRange{*first, open_end ? size - 1 : std::min(*last, size - 1)});
}

}  // namespace yyc3::net
