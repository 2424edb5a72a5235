#include "engine/text/utf8.hpp"

namespace yyc3::text {
namespace {

struct Lead {
  int more;        // continuation bytes
  char32_t bits;   // payload of the first byte
  char32_t least;  // smallest scalar of this length: anything below is overlong
};

Lead read_lead(unsigned char byte) {
  if (byte < 0x80) return {0, byte, 0};
  if (byte >= 0xC2 && byte <= 0xDF) return {1, byte & 0x1FU, 0x80};
  if (byte >= 0xE0 && byte <= 0xEF) return {2, byte & 0x0FU, 0x800};
  if (byte >= 0xF0 && byte <= 0xF4) return {3, byte & 0x07U, 0x10000};
  return {-1, 0, 0};
}

constexpr bool is_scalar(char32_t c) { return c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF); }

}  // namespace

std::u32string decode_utf8(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const Lead lead = read_lead(static_cast<unsigned char>(text[i]));
    ++i;
    if (lead.more < 0) continue;
    char32_t c = lead.bits;
    int seen = 0;
    while (seen < lead.more && i < text.size() &&
           (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) {
      c = c << 6 | (static_cast<unsigned char>(text[i]) & 0x3FU);
      ++i;
      ++seen;
    }
    if (seen == lead.more && c >= lead.least && is_scalar(c)) out.push_back(c);
  }
  return out;
}

void append_utf8(std::string& to, char32_t c) {
  const auto put = [&to](char32_t byte) { to.push_back(static_cast<char>(byte)); };
  if (!is_scalar(c)) return;
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

std::string encode_utf8(std::u32string_view text) {
  std::string out;
  out.reserve(text.size() * 3);
  for (const char32_t c : text) append_utf8(out, c);
  return out;
}

char32_t narrow(char32_t c) {
  if (c == 0x3000 || c == 0xA0) return U' ';
  if (c < 0xFF01 || c > 0xFF5E) return c;
  if (c == U'，' || c == U'！' || c == U'？' || c == U'：' || c == U'；') return c;
  return c - 0xFEE0;
}

}  // namespace yyc3::text
