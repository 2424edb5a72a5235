"""Download published packages by name, version and SHA-256; nothing is installed or imported.

Only the standard library. `pip download` runs from a venv of ours, because Debian's python3 has no pip
and must not be touched. Command line: fetch.py pip|sdist|npm NAME==VERSION SHA256 -> prints the file.
"""
import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path


class FetchError(Exception):
    """A download failed; the text says which one and what to do."""


def cache_root() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aicall"


def sha256(path: Path) -> str:
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def run(command: list[str], what: str, **options) -> str:
    done = subprocess.run(command, text=True, capture_output=True, **options)
    if done.returncode != 0:
        tail = (done.stderr or done.stdout).strip()[-600:]
        raise FetchError(f"{what} failed (exit {done.returncode}): {tail}")
    return done.stdout


def venv_python() -> str:
    """The python of our build-time venv, made on first use: by one process, when several want it."""
    python = cache_root() / "tools-venv" / "bin" / "python"
    if not (python.parent / "pip").exists():
        cache_root().mkdir(parents=True, exist_ok=True)
        with open(cache_root() / "tools-venv.lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (python.parent / "pip").exists():
                run([sys.executable, "-m", "venv", str(python.parent.parent)],
                    "python3 -m venv (on Debian: apt-get install python3-venv)")
    return str(python)


def require_python_packages(pins: list[str]) -> str:
    """Installs pinned packages into the venv (numpy, onnx …) and returns its python."""
    python = venv_python()
    stamp = Path(python).parent.parent / "installed.txt"
    have = set(stamp.read_text().split()) if stamp.exists() else set()
    missing = [p for p in pins if p not in have]
    if missing:
        run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *missing],
            "pip install " + " ".join(missing))
        stamp.write_text("\n".join(sorted(have | set(missing))) + "\n")
    return python


def find_verified(folder: Path, digest: str, stem: str) -> Path | None:
    for path in folder.iterdir():
        name = path.name.lower().replace("_", "-")
        if path.is_file() and name.startswith(stem.lower().replace("_", "-")) and sha256(path) == digest:
            return path
    return None


def fetch(kind: str, package: str, digest: str) -> Path:
    """Returns the verified file in the download folder, fetching it only if it is not there."""
    folder = cache_root() / "downloads"
    folder.mkdir(parents=True, exist_ok=True)
    stem = package.split("==")[0].split("/")[-1]
    found = find_verified(folder, digest, stem)
    if found:
        return found
    with tempfile.TemporaryDirectory(dir=folder) as tmp:
        if kind == "npm":
            run(["npm", "pack", "--silent", package.replace("==", "@")],
                f"npm pack {package} (on Debian: apt-get install npm)", cwd=tmp)
        else:
            choice = ["--no-binary", stem] if kind == "sdist" else ["--only-binary", ":all:"]
            run([venv_python(), "-m", "pip", "download", "-q", "--disable-pip-version-check",
                 "--no-deps", *choice, "-d", tmp, package], f"pip download {package}")
        files = [p for p in Path(tmp).iterdir() if p.is_file()]
        if len(files) != 1:
            raise FetchError(f"{package}: expected one file, got {[p.name for p in files]}")
        got = sha256(files[0])
        if got != digest:
            raise FetchError(f"{package}: SHA-256 is {got}, the manifest says {digest}; "
                             "the package changed, do not use it before looking into it")
        target = folder / files[0].name
        os.replace(files[0], target)
        return target


if __name__ == "__main__":
    try:
        print(fetch(*sys.argv[1:4]))
    except FetchError as error:
        sys.exit(f"fetch: {error}")
