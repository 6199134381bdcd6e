"""What writes events is set up before the first one, and not at all where there is none."""

import subprocess
import sys

from structlog.testing import capture_logs

from bot.domain.log import Log


def test_it_is_set_up_once_before_the_first_event() -> None:
    log, calls = Log(), []
    with capture_logs() as events, log.set_up_by(lambda: calls.append(len(events))):
        log.warning("first", row=1)
        log.error("second")
    assert calls == [0]
    assert [event["event"] for event in events] == ["first", "second"]


def test_it_is_not_set_up_where_nothing_happens_meanwhile() -> None:
    log, calls = Log(), []
    with capture_logs(), log.set_up_by(lambda: calls.append("set up")):
        pass
    with capture_logs():
        log.info("afterwards")
    assert calls == []


def test_what_writes_it_is_not_loaded_before() -> None:
    code = "import sys, bot.domain.log; print('structlog' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout == "False\n"
