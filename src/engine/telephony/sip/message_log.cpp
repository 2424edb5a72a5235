#include "engine/telephony/sip/message_log.hpp"

#include <algorithm>
#include <cctype>
#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <sofia-sip/su_log.h>

namespace yyc3::sip {

namespace {

constexpr std::size_t kMessageMax = 70'000;
constexpr std::string_view kRule = "-----------";
constexpr std::string_view kIndent = "   ";

thread_local MessageLog* current = nullptr;

extern "C" void yyc3_sip_print(void*, char const* format, va_list arguments) {
  if (current == nullptr) return;
  char text[4096];
  const int size = std::vsnprintf(text, sizeof text, format, arguments);
  if (size > 0)
    current->take({text, std::min<std::size_t>(static_cast<std::size_t>(size), sizeof text - 1)});
}

bool starts_with_word(std::string_view line, std::string_view word) {
  return line.size() >= word.size() &&
         std::equal(word.begin(), word.end(), line.begin(), [](char a, char b) {
           return a == std::tolower(static_cast<unsigned char>(b));
         });
}

}  // namespace

std::string_view without_credentials(std::string_view line) {
  static constexpr std::string_view kSecret[] = {"authorization", "proxy-authorization",
                                                 "www-authenticate", "proxy-authenticate",
                                                 "authentication-info"};
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return line;
  const std::size_t end = line.find_last_not_of(" \t", colon - (colon > 0 ? 1 : 0));
  for (const auto name : kSecret)
    if (end + 1 == name.size() && starts_with_word(line, name)) return line.substr(0, colon + 1);
  return line;
}

void MessageLog::take(std::string_view text) {
  for (const char c : text) {
    if (c != '\n') {
      if (line_.size() < kMessageMax) line_ += c;
      continue;
    }
    take_line(line_);
    line_.clear();
  }
}

void MessageLog::take_line(std::string_view line) {
  const bool indented = line.starts_with(kIndent);
  const std::string_view body = indented ? line.substr(kIndent.size()) : line;
  if (indented && body.starts_with(kRule)) {
    if (inside_ && hook_) hook_(stamp_ + '\n' + message_);
    inside_ = !inside_ && !stamp_.empty();
    if (!inside_) stamp_.clear();
    message_.clear();
  } else if (!inside_) {
    const bool stamp = line.starts_with("send ") || line.starts_with("recv ");
    stamp_ = stamp ? std::string(line) : std::string();
  } else if (message_.size() + body.size() < kMessageMax) {
    message_ += without_credentials(body);
    message_ += '\n';
  }
}

void print_to(MessageLog* log) {
  static std::once_flag once;
  std::call_once(once, [] { su_log_redirect(su_log_default, &yyc3_sip_print, nullptr); });
  current = log;
}

}  // namespace yyc3::sip
