import datetime
import importlib.machinery
import importlib.util
import pathlib
import sys
import unittest

DEMO = pathlib.Path(__file__).parent.parent / "demo"


def load(name):
    loader = importlib.machinery.SourceFileLoader("demo_" + name.removesuffix(".py"), str(DEMO / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


sys.dont_write_bytecode = True  # demo/ is no package
run, customer, server = load("run"), load("customer.py"), load("server.py")


def call(**other):
    events = [{"type": "barge_in", "data": {"at_ms": 10088}}, {"type": "booked", "data": {"when": "2026-12-04T16:00"}}]
    turns = [{"speaker": "customer", "text": "对"}] * 6 + [{"speaker": "bot", "text": "再见。"}]
    return {"state": "completed", "outcome": "completed", "disclosure_heard": True, "events": events, "turns": turns, **other}


def result(**other):
    return {"answered": True, "unsaid": [], "interrupted_ms": 10300, "wanted": "2026-12-04T16:00", **other}


class Verdict(unittest.TestCase):
    def wrong(self, detail, told):
        found = run.verdict(detail, told)
        self.assertEqual(len(found), 1, found)
        return found[0]

    def test_as_planned(self):
        self.assertEqual(run.verdict(call(), result()), [])

    def test_another_time_was_booked(self):
        self.assertEqual(self.wrong(call(), result(wanted="2026-12-05T10:00")), "2026-12-04T16:00 was booked, the customer asked for 2026-12-05T10:00")
        self.assertIn("no time was booked", self.wrong(call(events=call()["events"][:1]), result()))

    def test_a_barge_in_that_was_not_the_customers(self):
        self.assertEqual(self.wrong(call(), result(interrupted_ms=31000)), "the customer interrupted at 31.0 s, the bot gave way at 10.1 s")
        self.assertEqual(self.wrong(call(), result(interrupted_ms=None)), "the customer did not interrupt")
        self.assertIn("no time", self.wrong(call(events=call()["events"][1:]), result()))

    def test_the_customer_did_not_come_through_its_plan(self):
        self.assertEqual(self.wrong(call(), result(unsaid=["hour", "right"])), "the customer was never asked for: hour, right")
        self.assertEqual(self.wrong(call(), {}), "the customer program tells of no call")

    def test_a_free_question_wants_an_answer_in_own_words(self):
        self.assertIn("own words", run.verdict(call(), result(), 1)[0])
        self.assertEqual(run.verdict(call(events=[*call()["events"], {"type": "own_words", "data": {}}]), result(), 1), [])

    def test_somebody_real_says_what_he_likes(self):
        self.assertEqual(run.verdict(call(events=[], turns=[]), None), [])
        self.assertEqual(run.verdict(call(state="failed"), None), ["the call failed"])


class Transcript(unittest.TestCase):
    def test_one_line_a_turn_with_the_stage_times(self):
        stages = {"gap_ms": 928, "end_of_turn_ms": 600, "asr_ms": 505, "understanding_ms": 3, "model_ms": 0, "voice_ms": 10}
        line = run.line_of({"speaker": "bot", "text": "好的，", "unsaid": "您想改到哪一天？", "started_ms": 69320, "stages": stages})
        self.assertEqual(len(line.splitlines()), 1)
        self.assertTrue(line.startswith(" 1:09.3  bot      好的， ⟂ (您想改到哪一天？)  ▇"), line)
        self.assertTrue(line.endswith(" 928 ms (end of turn 600, recognised in 505, understood in 3, model 0, voice 10)"), line)
        self.assertEqual(run.line_of({"speaker": "customer", "text": "对", "started_ms": 400}), " 0:00.4  customer 对")


class OwnPhone(unittest.TestCase):
    def test_host_of_a_uri(self):
        for uri in ("sip:you@192.0.2.7", "sips:192.0.2.7:5061", "sip:you:pw@192.0.2.7;transport=tcp", "192.0.2.7?x=y"):
            self.assertEqual(server.host_of(uri), "192.0.2.7", uri)

    def test_loopback_stays_loopback(self):
        settings = server.own_phone_settings("sip:me@127.0.0.1:5070", {})
        self.assertEqual(settings, {"AICALL_COMPLIANCE__ALLOW_SIP_HOSTS": "127.0.0.1", "AICALL_SIP__LISTEN": "127.0.0.1",
                                    "AICALL_MEDIA__ADDRESS": "127.0.0.1"})

    def test_what_the_operator_has_set_stays(self):
        chosen = {"AICALL_SIP__LISTEN": "10.0.0.1", "AICALL_MEDIA__ADDRESS": "10.0.0.2"}
        self.assertEqual(server.own_phone_settings("sip:me@no.such.host.invalid", chosen), {"AICALL_COMPLIANCE__ALLOW_SIP_HOSTS": "no.such.host.invalid"})
        self.assertNotIn("AICALL_SIP__LISTEN", server.own_phone_settings("sip:me@127.0.0.1", {"AICALL_SIP__LISTEN": "10.0.0.1"}))

    def test_another_machine_gets_the_address_that_leads_to_it(self):
        routes = {"192.0.2.7": "192.0.2.1"}
        found, server.own_address = server.own_address, routes.__getitem__
        try:
            self.assertEqual(server.own_phone_settings("sip:you@192.0.2.7", {})["AICALL_MEDIA__ADDRESS"], "192.0.2.1")
        finally:
            server.own_address = found


class Appointment(unittest.TestCase):
    def test_a_weekday_is_the_next_one_never_today(self):
        sunday = datetime.date(2026, 11, 29)
        self.assertEqual(customer.appointment("weekday 4", "16:00", sunday), "2026-12-04T16:00")
        self.assertEqual(customer.appointment("weekday 6", "10:00", sunday), "2026-12-06T10:00")
        self.assertEqual(customer.appointment("weekday 0", "10:00", sunday), "2026-11-30T10:00")
        self.assertEqual(customer.appointment("days 2", "15:30", datetime.date(2026, 12, 30)), "2027-01-01T15:30")

    def test_every_line_that_asks_for_a_time_has_a_meaning(self):
        for persona in (customer.ZH, customer.EN):
            for day in persona["day"].values():
                for hour in persona["hour"].values():
                    datetime.datetime.fromisoformat(customer.appointment(day, hour, datetime.date(2026, 11, 29)))


if __name__ == "__main__":
    unittest.main()
