// Reads UTF-8 lines, writes their toned syllables, one line each: what compare_pypinyin.py
// measures. Usage: text_spell TABLES < lines.
#include <iostream>
#include <string>

#include "engine/text/pinyin.hpp"

int main(int argc, char** argv) {
  const auto tables = yyc3::text::Tables::load(argc > 1 ? argv[1] : "");
  if (!tables) {
    std::cerr << tables.error().detail << '\n';
    return 1;
  }
  const yyc3::text::Pinyin pinyin(*tables);
  for (std::string line; std::getline(std::cin, line);) std::cout << pinyin.spell(line) << '\n';
}
