#include "app/commands/commands.hpp"

int main(int argc, char** argv) { return yyc3::app::run(argc, argv); }
