"""Posting to one of many services by apprise, which knows how each is spoken to; it is an extra.

Of a refusal apprise tells no more than that there was one; what it logs may hold the address, so it logs nothing.
"""

import asyncio
import logging
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from threading import Thread
from typing import TYPE_CHECKING

from bot.domain.failure import Failure, Trouble

if TYPE_CHECKING:
    from apprise import NotifyBase

_EXTRA = "pip install freshness-bot[apprise]"
_LONGEST = timedelta(seconds=30)
"""How long a service may take over one message, with all that apprise asks it for."""


@dataclass(frozen=True, slots=True)
class MessageTexts:
    """One message in both forms; a service is sent the one that it shows."""

    plain: str
    markdown: str


class AppriseService:
    """One service, opened from its address, which as a whole is a secret and never shown. It edits nothing."""

    def __init__(self, service: str, url: str, longest: timedelta = _LONGEST) -> None:
        """Raises `Failure` where apprise is not installed, or takes no such address."""
        self.service = service
        self._plugin = _plugin(service, url)
        self._longest = longest
        self._was_taken: Future[bool] | None = None

    @property
    def _where(self) -> str:
        return f"apprise {self.service}"

    async def post(self, texts: MessageTexts) -> None:
        """Sends one message, cut where the service takes no more; after a late answer it may arrive twice.

        apprise waits for the network, and no thread can be ended: one that is late is left behind, and nothing more
        is sent to its service until it has ended. Raises `Failure`.
        """
        if self._was_taken is not None and not self._was_taken.done():
            raise self._failure("has not answered to the last message yet", "it is sent later")
        was_taken = self._was_taken = Future()
        was_taken.set_running_or_notify_cancel()
        Thread(target=self._send, args=(texts, was_taken), name=self._where, daemon=True).start()
        try:
            async with asyncio.timeout(self._longest.total_seconds()):
                is_done = await asyncio.wrap_future(was_taken)
        except TimeoutError:
            fault = f"did not take the message within {self._longest.total_seconds():g} seconds"
            raise self._failure(fault, "it is sent later") from None
        if not is_done:
            advice = "it is sent later; if that goes on, check its line in apprise.urls_file"
            raise self._failure("did not take the message", advice)

    def _failure(self, fault: str, advice: str) -> Failure:
        return Failure(Trouble.UNREACHABLE, fault, where=self._where, advice=advice)

    def _send(self, texts: MessageTexts, was_taken: "Future[bool]") -> None:
        from apprise import Apprise, NotifyFormat

        form = NotifyFormat.MARKDOWN
        if self._plugin.resolve_format() is not form:
            form = NotifyFormat.TEXT
        try:
            services = Apprise(asset=self._plugin.asset)
            services.add(self._plugin)
            body = texts.markdown if form is NotifyFormat.MARKDOWN else texts.plain
            was_taken.set_result(bool(services.notify(body, body_format=form)))
        except Exception:  # what a plugin raises may quote the address
            was_taken.set_result(False)


def _plugin(service: str, url: str) -> "NotifyBase":
    """What sends to this service: by HTTPS, to where the address leads and no further, keeping nothing on disk."""
    try:
        from apprise import Apprise, AppriseAsset, OverflowMode
    except ImportError:
        raise Failure(
            Trouble.DENIED, "cannot be sent to without apprise", where=f"apprise {service}", advice=_EXTRA
        ) from None
    logging.getLogger("apprise").disabled = True
    asset = AppriseAsset(
        storage_mode="memory",
        service_timeout=0,
        allow_templates=False,
        app_id="freshness-bot",
        http_redirects=False,
        interpret_emojis=False,
        pgp_autogen=False,
        pem_autogen=False,
    )
    plugin = Apprise.instantiate(url, asset=asset)
    if plugin is None or service in _words(plugin.protocol) or service not in _words(plugin.secure_protocol):
        raise _defect(service, "is not written as apprise wants it", f"https://appriseit.com/services/{service}/")
    if not plugin.verify_certificate:
        advice = "take verify out of it, and name your own authorities by REQUESTS_CA_BUNDLE"
        raise _defect(service, "leaves certificates unchecked", advice)
    plugin.redirects = False
    plugin.overflow_mode = OverflowMode.TRUNCATE
    return plugin


def _defect(service: str, fault: str, advice: str) -> Failure:
    return Failure(Trouble.MALFORMED, fault, where=f"apprise {service}", advice=advice)


def _words(protocol: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (protocol,) if isinstance(protocol, str) else tuple(protocol or ())
