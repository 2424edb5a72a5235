"""What the checks share: the tracked files and the map of the house in src/CMakeLists.txt."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODULE = re.compile(r"yyc3_module\(\s*(\S+?)([\s)][^)]*\)|\))")


def tracked(*patterns: str) -> list[pathlib.Path]:
    """Files git knows, as paths from the repository's root; those deleted in the working tree are left out."""
    listing = subprocess.run(["git", "ls-files", "-z", "--", *patterns], cwd=ROOT, check=True, capture_output=True)
    paths = [pathlib.Path(name) for name in listing.stdout.decode().split("\0") if name]
    return [path for path in paths if (ROOT / path).is_file()]


def read(path: pathlib.Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


def rooms() -> dict[str, list[str]]:
    """Room -> rooms it may use, in the order of src/CMakeLists.txt."""
    text = re.sub(r"#.*", "", read(pathlib.Path("src/CMakeLists.txt")))
    house = {}
    for match in MODULE.finditer(text):
        words = match[2].rstrip(")").split()
        deps, inside = [], False
        for word in words:
            if word.isupper():
                inside = word == "DEPS"
            elif inside:
                deps.append(word)
        house[match[1].rstrip(")")] = deps
    return house


def room_of(path: str, house) -> str | None:
    """The room that holds a path under src/: the longest that fits, so that telephony/sip is not telephony."""
    fitting = [room for room in house if path.startswith(room + "/")]
    return max(fitting, key=len, default=None)
