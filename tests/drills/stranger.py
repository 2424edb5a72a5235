"""`aicall call`, as a user types it, to a phone whose voice the system has never heard: right words, right sides, both intelligible."""
import os
import re
import threading
import time
from dataclasses import dataclass

from common import (FLOW, Phone, Wrong, bot_turns, check, check_steps, customer_turns, detail_of, dial_variables, english, hear_wav, level,
                    mandarin, measure_gap, running, speech_ms, write_wav)


@dataclass
class Stranger:
    render: object
    lines: tuple
    disclosure: str   # in what is heard of the bot
    customer: float   # of the characters may be wrong: the voice is new and the telephone is narrow
    bot: float


STRANGERS = {
    "en": Stranger(lambda text, path: english(text, path, "en-gb-x-rp+f3"),
                   ("Yes, this is me.", "What is the address of the clinic?", "I can make it, thank you."), r"assistant.*calling", 0.25, 0.20),
    "zh": Stranger(mandarin, ("对，我是。", "请问你们的地址在哪里？", "没问题，我会准时到的。"), r"智能.{0,4}助手", 0.30, 0.25),
}
PATIENCE_S = 1.2  # of the bot's silence before the stranger speaks


def characters(text):
    """Letters and Chinese characters; a number counts as it is spoken in Chinese, since recognisers write it either way."""
    if re.search(r"[\u4e00-\u9fff]", text):
        text = re.sub(r"\d+", lambda found: in_words(int(found[0])), text)
    return re.sub(r"[^a-z\u4e00-\u9fff]", "", text.lower())


def in_words(number):
    """A number of at most two digits in Chinese characters, as days and hours have it."""
    digits, tens, ones = "零一二三四五六七八九", number // 10, number % 10
    if number > 99:
        return "".join(digits[int(digit)] for digit in str(number))
    return (digits[tens] if tens > 1 else "") + ("十" if tens else "") + (digits[ones] if ones or not tens else "")


def error_rate(wanted, heard):
    """Characters inserted, lost or exchanged, over those wanted."""
    a, b = characters(wanted), characters(heard)
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1] / max(1, len(a))


def wait_turn(phone, seconds):
    """Until the bot has spoken and then been silent for PATIENCE_S; Wrong when the call or the time ends."""
    spoken, silent, end = 0.0, 0.0, time.monotonic() + seconds
    while time.monotonic() < end:
        for event in phone.events(0.05):
            if event.get("type") == "CALL_CLOSED":
                raise Wrong("the call ended before the stranger had spoken")
        heard = phone.listen()
        for at in range(0, len(heard), 160):
            if level(heard[at:at + 160]) > -45:
                spoken, silent = spoken + 0.02, 0.0
            else:
                silent += 0.02
        if spoken > 0.5 and silent > PATIENCE_S:
            return
    raise Wrong(f"the bot did not finish a turn within {seconds} s")


def live(phone, lines):
    """The stranger's part, on a thread; what went wrong, or None."""
    try:
        for path in lines:
            wait_turn(phone, 60)
            phone.say(path)
            time.sleep(2.5)  # its own words
        wait_turn(phone, 40)
    except Wrong as wrong:
        return str(wrong)
    finally:
        phone.hang_up()
    return None


def check_sides(recording, folder):
    """Both channels speak and are not the same; their files."""
    rate, (left, right) = measure_gap.read(recording)
    paths = []
    for name, samples in (("customer", left), ("bot", right)):
        check(speech_ms(samples, rate) >= 2000, f"the {name}'s channel speaks {speech_ms(samples, rate)} ms")
        paths.append(os.path.join(folder, name + ".wav"))
        write_wav(paths[-1], samples)
    return paths


def talk(house, stranger, language, folder):
    """`aicall call` to this stranger; the call as it is stored, and its recording."""
    phone = Phone(os.path.join(folder, "phone"))
    with running(phone):
        lines = [stranger.render(text, os.path.join(folder, f"line-{i}.wav")) for i, text in enumerate(stranger.lines)]
        told = []
        person = threading.Thread(target=lambda: told.append(live(phone, lines)), daemon=True)
        person.start()
        variables = [part for name, value in dial_variables(language).items() for part in ("--var", f"{name}={value}")]
        code, out, err = house.run(os.path.basename(folder), ["call", phone.uri, "--flow", FLOW, "--lang", language, *variables], 150, **house.of(language))
        person.join(20)
    check(code == 0, f"aicall call ended with {code}: {err.strip() or out.strip()[-300:]}")
    check(told == [None], f"the stranger: {told}")
    check("[completed]" in out, "aicall call did not print [completed]")
    with running(house.serve(os.path.basename(folder), **house.of(language))) as server:
        call = server.api("GET", "/api/v1/calls")["calls"][0]["id"]
        detail = detail_of(server, call)
        check_steps(server, detail, "dialing", "ringing", "answered", "talking", "completed")
        path = os.path.join(folder, "recording.wav")
        check(server.save_recording(call, path), "there is no recording")
    return detail, path


def drill_of(language):
    stranger = STRANGERS[language]

    def drill(house):
        house.render_of(language)
        folder = os.path.join(house.out, "stranger-" + language)
        detail, path = talk(house, stranger, language, folder)
        customer, bot = check_sides(path, folder)
        said, errors = " ".join(stranger.lines), {}
        stored = " ".join(turn["text"] for turn in customer_turns(detail))
        for name, heard in (("stored transcript", stored), ("left channel", hear_wav(customer, language=language))):
            errors[name] = error_rate(said, heard)
            check(errors[name] <= stranger.customer, f"{name}: {errors[name]:.0%} of the customer's characters wrong: {heard!r}")
        heard = hear_wav(bot, language=language)
        check(re.search(stranger.disclosure, heard.lower()), f"the disclosure is not on the right channel: {heard[:120]!r}")
        errors["right channel"] = error_rate(" ".join(turn["text"] for turn in bot_turns(detail)), heard)
        check(errors["right channel"] <= stranger.bot, f"{errors['right channel']:.0%} of the bot's characters wrong: {heard!r}")
        check(detail["disclosure_heard"] and detail["outcome"] == "completed",
              f"disclosure heard: {detail['disclosure_heard']}, outcome {detail['outcome']}, degraded {detail['degraded']}; heard first: {bot_turns(detail)[0]}")
        return "characters wrong: " + ", ".join(f"{name} {error:.0%}" for name, error in errors.items())

    return drill


DRILLS = {f"stranger/{language}": drill_of(language) for language in STRANGERS}
