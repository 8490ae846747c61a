"""What Slack's answers mean for a message: certainly not sent, perhaps sent, or never to be sent like this."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING
from urllib.error import URLError

from monitor.delivery.receiver import Outcome
from monitor.delivery.retry import retry_after

if TYPE_CHECKING:
    from slack_sdk.errors import SlackApiError

_REFUSED = frozenset(
    {
        "access_denied",
        "account_inactive",
        "channel_is_archived",
        "channel_not_found",
        "deprecated_endpoint",
        "ekm_access_denied",
        "enterprise_is_restricted",
        "invalid_auth",
        "is_archived",
        "method_deprecated",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "not_in_channel",
        "org_login_required",
        "restricted_action",
        "restricted_action_non_threadable_channel",
        "restricted_action_read_only_channel",
        "restricted_action_thread_locked",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
        "two_factor_setup_required",
    }
)
_LIMITED = frozenset(("ratelimited", "rate_limited"))
_GONE = frozenset(("message_not_found", "cant_update_message", "thread_not_found", "edit_window_closed"))
_AMBIGUOUS = frozenset(
    {
        "internal_error",
        "fatal_error",
        "request_timeout",
        "service_unavailable",
        "duplicate_message_not_found",
        "duplicate_channel_not_found",
    }
)
CONTENT = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_blocks_too_long",
        "msg_too_long",
        "block_mismatch",
        "invalid_arguments",
    }
)
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def outcome_of_answer(error: SlackApiError) -> Outcome:
    """The outcome of an answer that is not ``ok``."""
    status = int(error.response.status_code or 0)
    name = _error_name(error)
    told = f"Slack answered {name or 'something that is not JSON'} (HTTP {status})."
    if status == 429 or name in _LIMITED:
        headers = {key.lower(): value for key, value in (error.response.headers or {}).items()}
        asked = headers.get("retry-after")
        return Outcome("limited", told, retry_after=retry_after(asked[0] if isinstance(asked, list) else asked))
    if status >= 500 or name in _AMBIGUOUS or not name:
        return Outcome("ambiguous", told)
    if name in _GONE:
        return Outcome("gone", told)
    if name in _REFUSED:
        return Outcome("refused", f"{told} {_way_out(name)}".rstrip())
    return Outcome("rejected", told)


def outcome_of_failure(error: Exception) -> Outcome:
    """The outcome of a request that got no whole answer; only a door that stayed shut means that nothing was sent."""
    told = (
        f"Slack could not be reached: {error}" if str(error) else f"Slack could not be reached: {type(error).__name__}"
    )
    if isinstance(error, URLError) and isinstance(error.reason, ConnectionRefusedError | socket.gaierror):
        return Outcome("not_sent", told)
    return Outcome("ambiguous", told)


def is_about_content(error: SlackApiError) -> bool:
    """Whether Slack refused the blocks, so that plain text is worth trying at once."""
    return int(error.response.status_code or 0) == 200 and _error_name(error) in CONTENT


def _error_name(error: SlackApiError) -> str:
    """Slack's name of the error; empty where the answer was not Slack's."""
    data = error.response.data
    name = data.get("error") if isinstance(data, dict) else None
    return name if isinstance(name, str) and _NAME.fullmatch(name) else ""


def _way_out(name: str) -> str:
    if name in ("channel_not_found", "not_in_channel"):
        return "Invite the bot to the channel, or correct its name in config.toml."
    if name in ("is_archived", "channel_is_archived"):
        return "Unarchive the channel, or name another in config.toml."
    if name in ("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"):
        return "Give a valid bot token in MONITOR_SLACK__TOKEN."
    if name == "missing_scope":
        scopes = "chat:write, files:write and channels:history (groups:history for a private channel)"
        return f"Give the bot the scopes {scopes}."
    return ""
