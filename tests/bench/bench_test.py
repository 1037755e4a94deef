#!/usr/bin/env python3
"""Tests of the benchmark's arithmetic and of its scenario files, without running any."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import bench  # noqa: E402
import measure  # noqa: E402
import payloads  # noqa: E402
import report  # noqa: E402

import items  # noqa: E402  (tests/support, put on the path by subject)


class ReportTest(unittest.TestCase):
    def outcome(self, goal, results, **everything):
        return [(reached, ok) for _, reached, _, ok in report.judge(goal, results, everything)]

    def test_ratio(self):
        for ours, expected in ((99, False), (100, True), (130, True)):
            results = {"weir": {"items_per_cpu_s": ours}, "collector": {"items_per_cpu_s": 10}}
            self.assertEqual(
                [(f"{ours / 10:.1f}", expected)], self.outcome({"ratio_min": 10}, results)
            )

    def test_share_of_the_relay(self):
        results = {"weir": {"mb_per_cpu_s": 900}}
        self.assertEqual([("0.50", True)], self.outcome({"relay_share_min": 0.5}, results, relay=1800))
        self.assertEqual([("0.45", False)], self.outcome({"relay_share_min": 0.5}, results, relay=2000))

    def test_upper_limits(self):
        results = {"weir": {"rss_mb": 21, "core_percent": 0.05}}
        goal = {"rss_mb_max": 20, "core_percent_max": 0.1}
        self.assertEqual([False, True], [ok for _, ok in self.outcome(goal, results)])

    def test_spread(self):
        results = {"one": {"items_per_cpu_s": 100}, "two": {"items_per_cpu_s": 92}}
        self.assertEqual([("+9 %", True)], self.outcome({"cost_spread_max": 0.1}, results))
        results["two"]["items_per_cpu_s"] = 80
        self.assertEqual([("+25 %", False)], self.outcome({"cost_spread_max": 0.1}, results))

    def test_medians(self):
        rounds = [{"items_per_cpu_s": number} for number in (5, 1, 100)]
        self.assertEqual({"items_per_cpu_s": 5}, report.medians(rounds))

    def test_what_was_not_delivered_is_shown(self):
        self.assertIn("only 50.00 %", report.figures({"delivered_share": 0.5}))


class ScenariosTest(unittest.TestCase):
    KEYS = {
        "name", "title", "kind", "collector", "payload", "client", "goal", "config", "config_weir",
        "config_collector", "subjects", "messages", "output", "half_capacity_of",
    }  # fmt: skip
    GOALS = {
        "ratio_min", "relay_share_min", "as_cheap_as", "rss_mb_max", "core_percent_max",
        "peak_rss_ratio_max", "p50_ratio_max", "p99_ratio_max", "cost_spread_max", "start_ms_max",
    }  # fmt: skip

    def test_files(self):
        scenarios = bench.load_scenarios(None)
        names = [scenario["name"] for scenario in scenarios]
        self.assertEqual(len(names), len(set(names)))
        for scenario in scenarios:
            with self.subTest(scenario["name"]):
                self.assertEqual(set(), set(scenario) - self.KEYS)
                self.assertTrue(scenario["goal"])
                self.assertEqual(set(), set(scenario["goal"]) - self.GOALS)
                self.assertIn(scenario["kind"], measure.KINDS)
                for subject in scenario["subjects"].values():
                    self.assertIn("receivers:", subject["config"])
                for key in ("half_capacity_of", "as_cheap_as"):
                    named = scenario.get(key) or scenario["goal"].get(key)
                    self.assertTrue(named is None or named in names)

    def test_payloads(self):
        with tempfile.TemporaryDirectory() as folder:
            for signal in items.SIGNALS:
                path = payloads.write(pathlib.Path(folder), signal, 100, "http", "none")
                request = items.REQUESTS[signal].FromString(path.read_bytes())
                self.assertEqual(100, items.count(signal, request))


if __name__ == "__main__":
    unittest.main()
