"""The contract that every check keeps, as rules for tests: of the checks that come along, and of your own.

    @pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
    def test_it_keeps_the_contract(rule):
        rule(MyCheck())

``LOGS`` are the logs of predictions that the rules are tried on; ``LOGS["usual"].window("binary")`` is a window.
"""

from checks.testing.rules import RULES, Rule, explained
from checks.testing.scenes import LOGS, Log

__all__ = ["LOGS", "RULES", "Log", "Rule", "explained"]
