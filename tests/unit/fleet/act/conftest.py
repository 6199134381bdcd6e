import pytest

from tests.unit.fleet.act.world import World, new_world


@pytest.fixture
def world() -> World:
    return new_world()
