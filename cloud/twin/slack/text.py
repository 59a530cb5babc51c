"""Slack's mrkdwn and emoji names as HTML."""

import html
import re
from datetime import UTC, datetime

from markupsafe import Markup

EMOJI = {
    "alarm_clock": "⏰",
    "arrows_counterclockwise": "🔄",
    "bell": "🔔",
    "black_square_for_stop": "⏹️",
    "boom": "💥",
    "bust_in_silhouette": "👤",
    "card_file_box": "🗃️",
    "clipboard": "📋",
    "construction": "🚧",
    "eyes": "👀",
    "fast_forward": "⏩",
    "floppy_disk": "💾",
    "gear": "⚙️",
    "heavy_check_mark": "✔️",
    "hourglass": "⌛",
    "hourglass_flowing_sand": "⏳",
    "information_source": "\u2139\ufe0f",
    "large_blue_circle": "🔵",
    "large_green_circle": "🟢",
    "large_orange_circle": "🟠",
    "large_yellow_circle": "🟡",
    "leftwards_arrow_with_hook": "↩️",
    "lock": "🔒",
    "mag": "🔍",
    "no_entry": "⛔",
    "no_entry_sign": "🚫",
    "octagonal_sign": "🛑",
    "package": "📦",
    "pause_button": "⏸️",
    "raised_hand": "✋",
    "red_circle": "🔴",
    "rewind": "⏪",
    "rocket": "🚀",
    "rotating_light": "🚨",
    "ship": "🚢",
    "snowflake": "❄️",
    "speech_balloon": "💬",
    "tada": "🎉",
    "unlock": "🔓",
    "vertical_traffic_light": "🚦",
    "warning": "⚠️",
    "white_check_mark": "✅",
    "white_circle": "⚪",
    "wrench": "🔧",
    "x": "❌",
    "zzz": "💤",
}
_CODE = re.compile(r"```(?P<block>.+?)```|`(?P<inline>[^`\n]+)`", re.DOTALL)
_LINK = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")
_DATE = re.compile(r"!date\^(\d+)\^")
_EMOJI = re.compile(r":([a-z0-9_+-]+):")
_STYLES = (
    (re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])"), r"<b>\1</b>"),
    (re.compile(r"(?<![\w_])_(?=\S)([^_\n]+?)(?<=\S)_(?![\w_])"), r"<i>\1</i>"),
    (re.compile(r"(?<![\w~])~(?=\S)([^~\n]+?)(?<=\S)~(?![\w~])"), r"<s>\1</s>"),
)


def plain(text: str) -> Markup:
    """Plain text with its emoji names replaced."""
    return Markup(_emoji(html.escape(html.unescape(text))).replace("\n", "<br>"))


def mrkdwn(text: str) -> Markup:
    """Slack's own markup: bold, italic, struck, code, links, mentions, dates, quotes, emoji."""
    parts, end = [], 0
    for code in _CODE.finditer(text):
        parts += [_prose(text[end : code.start()]), _code(code)]
        end = code.end()
    return Markup("".join([*parts, _prose(text[end:])]))


def _code(found: re.Match[str]) -> str:
    if found["block"] is not None:
        return f"<pre>{_escape(found['block'].strip(chr(10)))}</pre>"
    return f"<code>{_escape(found['inline'])}</code>"


def _prose(text: str) -> str:
    """Links are taken out first, so that an underscore in a URL stays one."""
    links: list[str] = []

    def keep(found: re.Match[str]) -> str:
        links.append(_link(found[1], found[2]))
        return f"\x00{len(links) - 1}\x00"

    styled = _emoji(_styled(_escape(_LINK.sub(keep, text))))
    quoted = re.sub(r"(?m)^&gt; ?(.*)$", r"<q>\1</q>", styled)
    lines = re.sub(r"(</q>)\n", r"\1", quoted).replace("\n", "<br>")
    return re.sub(r"\x00(\d+)\x00", lambda found: links[int(found[1])], lines)


def _link(target: str, label: str | None) -> str:
    if date := _DATE.match(target):
        moment = datetime.fromtimestamp(int(date[1]), UTC)
        return f"<time>{moment:%Y-%m-%d %H:%M} UTC</time>"
    if target[0] in "@#!":
        return f'<span class="mention">{_escape(label or target.replace("!", "@"))}</span>'
    if not target.startswith(("http://", "https://", "mailto:")):
        return _escape(f"<{target}>")
    return f'<a href="{_escape(target)}">{_styled(_escape(label or target))}</a>'


def _styled(text: str) -> str:
    for pattern, replacement in _STYLES:
        text = pattern.sub(replacement, text)
    return text


def _emoji(text: str) -> str:
    return _EMOJI.sub(lambda found: EMOJI.get(found[1], found[0]), text)


def _escape(text: str) -> str:
    # Slack's senders escape &, < and > themselves.
    return html.escape(html.unescape(text))
