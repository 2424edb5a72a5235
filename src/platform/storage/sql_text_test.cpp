#include "platform/storage/sql_text.hpp"

#include <doctest/doctest.h>

using namespace yyc3;
using namespace yyc3::storage;

TEST_CASE("question marks are numbered, but not those in strings, names and comments") {
  const auto text = [](std::string_view sql) { return number_placeholders(sql)->text; };
  CHECK(text("a = ? AND b = ?") == "a = $1 AND b = $2");
  CHECK(number_placeholders("?,?,?")->arguments == 3);
  for (const char* same :
       {"", "'?'", "'it''s ?'", "\"a?\"\"?\"", "-- ?\n", "-- ?", "/* ? */", "/* /* ? */ ? */",
        "$$ ? $$", "$tag$ ? $$ ? $tag$", "E'\\'?'", "e'a\\\\'"})
    CHECK(text(same) == same);
  CHECK(text("'\\' = ?") == "'\\' = $1");        // no escapes in a plain string
  CHECK(text("E'\\\\' = ?") == "E'\\\\' = $1");  // an escaped backslash ends there
  CHECK(text("some'?'?") == "some'?'$1");        // the e of a longer word is no prefix
  CHECK(text("-- ?\n?") == "-- ?\n$1");
  CHECK(text("a$b$?") == "a$b$$1");  // a name, no quote
  CHECK(text("1 / ? - ? * ?") == "1 / $1 - $2 * $3");
  CHECK(text("说 = ?") == "说 = $1");
}

TEST_CASE("what is not closed is refused") {
  for (const char* open : {"'", "'?", "\"?", "/* ?", "/* /* */", "$$ ?", "$a$ ? $b$", "E'\\'"})
    CHECK_MESSAGE(number_placeholders(open).error().code == ErrorCode::kInvalid, open);
  CHECK(number_placeholders(std::string(65'535, '?')));
  CHECK_FALSE(number_placeholders(std::string(65'536, '?')));
}
