#include "worker/phrases.hpp"

#include <fstream>
#include <iterator>

#include "base/bytes.hpp"

namespace yyc3::worker {

Result<std::string> read_phrases(const std::filesystem::path& file) {
  const auto mend = [&file](ErrorCode code, const char* why) {
    return fail(code, "phrases " + file.string() + why + "; mend speech.phrases_zh");
  };
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored)) {
    return mend(ErrorCode::kNotFound, " are not there");
  }
  std::ifstream in(file, std::ios::binary);
  std::string text;
  text.resize(kPhrasesBytesMax + 1);
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return mend(ErrorCode::kInvalid, " cannot be read");
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kPhrasesBytesMax) return mend(ErrorCode::kInvalid, " are more than 1 MiB");
  if (!is_utf8(text)) return mend(ErrorCode::kInvalid, " are not UTF-8");
  return text;
}

}  // namespace yyc3::worker
