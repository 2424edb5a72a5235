"""Groups source files that may be compiled as one: no two of a group declare the same name at namespace scope.

usage: unity.py OUT NAME FILE…    writes OUT/NAME_<n>.cpp, each including some of the FILEs (paths below src/), prints them

Names of files that meet in a group would be one name in one anonymous namespace. What is taken for a declaration here is
more than the language does; two files then stand apart that need not. An existing output is not touched when it is right.
"""
import pathlib
import re
import sys

GROUP = 8  # files; more save little and keep one core busy alone
SOURCE = pathlib.Path(__file__).resolve().parent.parent / "src"
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\\n])+\'', re.S)
TYPE = re.compile(r"\b(?:struct|class|union|enum(?: class)?|concept)\s+(\w+)|\busing\s+(\w+)\s*=")
NAME = re.compile(r"([\w:~]+)\s*(?:\(|=|\{|\[|$)")
NO_NAMES = {"TEST_CASE", "TEST_SUITE", "static_assert", "if", "alignas", "decltype", "requires", "noexcept"}


def declared(text: str) -> set[str]:
    macros = set(re.findall(r"^\s*#\s*define\s+(\w+)", text, re.M))
    text = re.sub(r"^\s*#[^\n]*", "", NOISE.sub(lambda noise: " " if noise[0][0] == "/" else '""', text), flags=re.M)
    names, chunk, inner, spaces = macros, "", 0, []  # inner: braces and parentheses that are no namespace
    for sign in text:
        if inner == 0 and sign == "{" and re.search(r"\b(namespace\b[\w\s:]*|extern \"\")\s*$", chunk):
            spaces.append(sign)
            chunk = ""
        elif inner == 0 and sign == "}" and spaces:
            spaces.pop()
            chunk = ""
        elif sign in "({":
            chunk += sign if inner == 0 else ""
            inner += 1
        elif sign in ")}":
            inner -= 1
            if inner == 0 and sign == "}":
                names |= names_of(chunk)
                chunk = ""
        elif inner == 0 and sign == ";":
            names |= names_of(chunk)
            chunk = ""
        elif inner == 0:
            chunk += sign
    return names - NO_NAMES


def names_of(chunk: str) -> set[str]:
    chunk = re.sub(r"\[\[.*?\]\]", "", chunk).strip()
    chunk = re.sub(r"^template\s*<.*?>\s*(?=[\w:])", "", chunk, flags=re.S)
    if match := TYPE.search(chunk):
        return {match[1] or match[2]}
    if re.match(r"(namespace|using|friend)\b", chunk):
        return set()
    match = NAME.search(chunk)  # a member of a class (A::b) is no name of its own
    return {match[1]} if match and ":" not in match[1] else set()


def main() -> int:
    out, name, files = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    groups: list[tuple[list[str], set[str]]] = []
    for file in files:
        names = declared((SOURCE / file).read_text())
        for members, taken in groups:
            if len(members) < GROUP and not names & taken:
                members.append(file)
                taken |= names
                break
        else:
            groups.append(([file], set(names)))
    out.mkdir(parents=True, exist_ok=True)
    for number, (members, _) in enumerate(groups):
        path = out / f"{name}_{number}.cpp"
        text = "".join(f'#include "{member}"\n' for member in members)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
