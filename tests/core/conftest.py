import pytest

from tests.core.front_end import FrontEnd


@pytest.fixture
def start():
    front_ends = []

    def start_one(body):
        front_ends.append(FrontEnd(body))
        return front_ends[-1]

    yield start_one
    for front_end in front_ends:
        front_end.close()
