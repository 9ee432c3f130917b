"""Results of an evaluation, made up."""

from core.judge.health import Health
from core.judge.making import Cost
from core.judge.result import Measures, Result
from core.judge.shape import ShapeScore
from core.judge.subject import Subject, parse
from core.judge.verdict import Verdict

EIGHT = (True,) * 8
SIX = (True,) * 6 + (False,) * 2


def verdict(prompt, taken=None, bare=None, views=EIGHT, bare_views=EIGHT, sides=None):
    asked = parse(prompt)
    taken_for = parse(taken) if taken else asked
    if asked.color is None:
        taken_for = Subject(taken_for.concept)
    return Verdict(asked, taken_for, parse(bare).concept if bare else asked.concept, views, bare_views, sides)


def result(prompt, cost=None, shape=(0.02, 0.9), psnr=26.0, health=(True, 1, 20_000, 0.0), **verdicts):
    measures = Measures(verdict(prompt, **verdicts), ShapeScore(*shape), psnr, Health(*health))
    return Result(prompt, measures, cost)


MUG = result("a red mug", Cost(100, 1 << 30), sides=None)
WRONG = {"taken": "a green tree", "bare": "a tree", "views": (False,) * 8, "bare_views": SIX, "sides": SIX}
DUCK = result("a red duck", Cost(200, 3 << 30), (0.06, 0.5), None, (False, 2, 10_000, 0.25), **WRONG)
TABLE = result("a table", None)
NOTHING = Result("a chair", None, None, "The field is empty.")
ALL = [MUG, DUCK, TABLE, NOTHING]
