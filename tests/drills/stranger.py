"""`aicall call`, as a user types it, to a phone whose voice the system has never heard: right words, right sides, both intelligible."""
import os
import re
import threading
import time

from common import (Phone, Wrong, bot_turns, check, customer_turns, detail_of, dial_variables, english, hear_wav, level, measure_gap,
                    running, speech_ms, write_wav)

CUSTOMER_ERROR = 0.25  # of the characters; an eSpeak voice is odd and the telephone is narrow
BOT_ERROR = 0.20
LINES = ("Yes, this is me.", "What is the address of the clinic?", "I can make it, thank you.")
PATIENCE_S = 1.2  # of the bot's silence before the stranger speaks


def characters(text):
    return re.sub(r"[^a-z]", "", text.lower())


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


def stranger(house):
    folder = os.path.join(house.out, "stranger")
    phone = Phone(os.path.join(folder, "phone"))
    with running(phone):
        lines = [english(text, os.path.join(folder, f"line-{i}.wav"), "en-gb-x-rp+f3") for i, text in enumerate(LINES)]
        told = []
        person = threading.Thread(target=lambda: told.append(live(phone, lines)), daemon=True)
        person.start()
        variables = [part for name, value in dial_variables().items() for part in ("--var", f"{name}={value}")]
        code, out, err = house.run("stranger", ["call", phone.uri, "--flow", "appointment_reminder", "--lang", "en", *variables], 150)
        person.join(20)
    check(code == 0, f"aicall call ended with {code}: {err.strip() or out.strip()[-300:]}")
    check(told == [None], f"the stranger: {told}")
    check("[completed]" in out, "aicall call did not print [completed]")
    with running(house.serve("stranger")) as server:
        call = server.api("GET", "/api/v1/calls")["calls"][0]["id"]
        detail = detail_of(server, call)
        path = os.path.join(folder, "recording.wav")
        check(server.save_recording(call, path), "there is no recording")
    customer, bot = check_sides(path, folder)
    said = " ".join(LINES)
    errors = {"stored transcript": error_rate(said, " ".join(t["text"] for t in customer_turns(detail))),
              "left channel": error_rate(said, hear_wav(customer))}
    for name, error in errors.items():
        check(error <= CUSTOMER_ERROR, f"{name}: {error:.0%} of the customer's characters wrong")
    heard = hear_wav(bot)
    check(re.search(r"assistant.*calling", heard.lower()), f"the disclosure is not on the right channel: {heard[:120]!r}")
    errors["right channel"] = error_rate(" ".join(t["text"] for t in bot_turns(detail)), heard)
    check(errors["right channel"] <= BOT_ERROR, f"{errors['right channel']:.0%} of the bot's characters wrong: {heard!r}")
    check(detail["disclosure_heard"] and detail["outcome"] == "completed", f"disclosure heard: {detail['disclosure_heard']}, outcome {detail['outcome']}")
    return "characters wrong: " + ", ".join(f"{name} {error:.0%}" for name, error in errors.items())


DRILLS = {"stranger": stranger}
